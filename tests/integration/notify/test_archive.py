"""The legal archive on real servers: what was sent is sealed, stays, and is missed when touched (rule 19.9)."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from chassis import clock
from chassis.database import driver, transaction
from chassis.eventlog import Said
from contracts.ledger import PersonErased
from services.notify.archive import verifying
from services.notify.archive.archivist import Archivist
from services.notify.archive.chain import ERASED, Fact, Record
from services.notify.archive.keeping import forget
from services.notify.handlers import FORGET
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import DAY, House, action, synced
from tests.integration.notify.test_letters import letters_due, prepare
from tests.integration.notify.test_what_comes_back import drop
from tests.specs.notify.given_reports import delivery_report


@pytest.fixture
def settings(settings: NotifySettings, tmp_path: Path) -> NotifySettings:
    return settings.model_copy(update={"reports_dir": tmp_path / "reports", "reports_pause_seconds": 0.2})


async def mailed(house: House, company: str, *clients: str) -> list[dict[str, Any]]:
    invoices = {one: synced(f"F-{one}", one, "100") for one in clients}
    await house.voices.book(company, invoices.values())
    await house.voices.due(company, *(action(company, one, [line]) for one, line in invoices.items()))
    return await house.until_said(company, "EmailSent", len(clients))


async def archived(house: House, company: str, client_id: str) -> list[dict[str, Any]]:
    await Archivist(house.process).catch_up()
    found: list[dict[str, Any]] = (await house.get(company, "/archive", client_id=client_id))["records"]
    return found


async def verified(house: House, company: str, **asked: Any) -> Any:
    answer = await house.call(company, "POST", "/archive/verify", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def as_superuser(house: House, statement: str, **values: Any) -> None:
    """What no role of notify may do."""
    url = make_url(house.stack.superuser_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), options="-c search_path=notify") as connection:
        connection.execute("set session_replication_role = replica")  # triggers are asleep
        assert connection.execute(statement.encode(), values).rowcount == 1


async def test_what_was_sent_is_sealed_with_its_proof(
    house: House, company: str, settings: NotifySettings
) -> None:
    """Rule 19.9: the mail with the server's answer, what came back, the letter with its number and its day."""
    (sent,) = await mailed(house, company, "C1")
    to = f"c1@{company}.example"
    came_back = delivery_report("5.1.1", "550 5.1.1 User unknown", to=to, message_id=sent["message_id"], named="a")
    assert settings.reports_dir is not None
    drop(settings.reports_dir / company, "1.eml", came_back)
    await house.until_said(company, "EmailBounced")
    (letter,), _ = await letters_due(house, company, "C1")
    await prepare(house, company, [letter], registered=True)
    number = {"action_id": str(letter.action_id), "number": "1A 123 456 7890 1"}
    await house.call(company, "POST", "/letters/posted", json={"action_ids": [str(letter.action_id)]})
    assert (await house.call(company, "POST", "/letter/registered-number", json=number)).status_code == 200

    records = await archived(house, company, "C1")
    by_kind = {record["kind"]: record for record in records}
    assert set(by_kind) == {
        "email_sent", "email_report", "letter_prepared", "letter_posted", "letter_numbered",
    }  # fmt: skip
    mail = by_kind["email_sent"]
    shown = await house.get(company, "/message", action_id=mail["action_id"])
    eml = await house.call(company, "GET", "/message/eml", params={"action_id": mail["action_id"]})
    assert mail["content"] == {"sha256": sha256(eml.content).hexdigest(), "bytes": len(eml.content)}
    assert (mail["person"]["recipients"], mail["person"]["answer"]) == ([to], shown["answer"])
    assert (mail["facts"]["step"], mail["facts"]["amount"], mail["facts"]["message_id"]) == (
        "R1", "100", sent["message_id"],
    )  # fmt: skip
    assert mail["as_of"] == f"{DAY}"
    report = by_kind["email_report"]
    assert (report["facts"]["report"], report["facts"]["status"]) == ("hard", "5.1.1")
    assert report["person"]["address"] == to
    pdf = await house.call(company, "GET", "/letter/pdf", params={"action_id": str(letter.action_id)})
    assert by_kind["letter_prepared"]["content"]["sha256"] == sha256(pdf.content).hexdigest()
    assert by_kind["letter_posted"]["facts"]["registered"] is True
    assert by_kind["letter_numbered"]["person"] == {"registered_number": "1A 123 456 7890 1"}
    bodies = " ".join(record["body"] for record in records)
    assert to not in bodies
    assert "7890" not in bodies

    done = await verified(house, company)
    assert (done["records"], done["contents"], done["broken"]) == (5, 2, None)
    assert done["head"] == records[-1]["hash"]
    again = await archived(house, company, "C1")
    assert again == records, "nothing is sealed twice"


async def test_no_role_of_notify_changes_or_removes_what_is_sealed(house: House, company: str) -> None:
    """Rule 19.9."""
    await mailed(house, company, "C1")
    assert len(await archived(house, company, "C1")) == 1
    forbidden = (
        f"update archive set body = '{{}}' where company = '{company}'",
        f"delete from archive where company = '{company}'",
        "truncate archive",
        f"update message set raw = 'x' where company = '{company}'",
        f"delete from message where company = '{company}'",
    )
    for statement in forbidden:
        for engine in (house.process.engine, house.process.api_engine):
            with pytest.raises(DBAPIError, match=r"permission denied|is not changed"):
                async with transaction(engine, company) as tx:
                    await tx.execute(text(statement))
    assert (await verified(house, company))["broken"] is None


@pytest.mark.parametrize(
    ("statement", "n", "why"),
    [
        (
            "update archive set body = replace(body, 'R1', 'R2') where company = %(company)s and n = 2",
            2,
            "changed",
        ),
        ("delete from archive where company = %(company)s and n = 2", 2, "missing"),
        ("delete from archive where company = %(company)s and n = 3", 3, "missing"),
        ("delete from archive_person where company = %(company)s and n = 1", 1, "person-missing"),
        (
            "update message set raw = raw || 'x'::bytea where company = %(company)s and action_id ="
            " (select action_id from archive where company = %(company)s and n = 3)",
            3,
            "content-changed",
        ),
        (
            "delete from message where company = %(company)s and action_id ="
            " (select action_id from archive where company = %(company)s and n = 1)",
            1,
            "content-missing",
        ),
    ],
)
async def test_the_first_broken_record_is_named(
    house: House, company: str, statement: str, n: int, why: str
) -> None:
    await mailed(house, company, "C1", "C2", "C3")
    await archived(house, company, "C1")
    before = await verified(house, company)
    assert (before["records"], before["broken"]) == (3, None)
    as_superuser(house, statement, company=company)
    done = await verified(house, company)
    assert (done["records"], done["broken"]["n"], done["broken"]["why"]) == (n - 1, n, why)


async def test_what_happens_while_the_chain_is_walked_is_no_change(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is erased and a message sealed after the first records were read."""
    await mailed(house, company, "C1", "C2")
    await archived(house, company, "C1")
    read = verifying._page

    async def meanwhile(*asked: Any) -> list[Record]:
        page = await read(*asked)
        if asked[2] == 0:
            async with transaction(house.process.engine) as tx:
                fact = Fact(ERASED, "C1", clock.now(), DAY, "user:alice")
                for statement in FORGET:
                    await tx.execute(statement, {"company": company, "client_id": "C1"})
                await forget(tx, company, [fact])
        return page

    monkeypatch.setattr(verifying, "_page", meanwhile)
    done = await verified(house, company)
    assert (done["records"], done["contents"], done["contents_erased"], done["broken"]) == (2, 1, 1, None)
    monkeypatch.undo()
    done = await verified(house, company)
    assert (done["records"], done["erased"], done["broken"]) == (3, 1, None)


async def test_a_head_that_was_put_back_is_found(house: House, company: str) -> None:
    await mailed(house, company, "C1", "C2")
    first, *_ = await archived(house, company, "C1") + await archived(house, company, "C2")
    back = {"company": company, "hash": first["hash"]}
    as_superuser(house, "update archive_head set n = 1, hash = %(hash)s where company = %(company)s", **back)
    assert (await verified(house, company))["broken"]["why"] == "missing"


async def test_a_chain_that_was_made_anew_is_told_by_a_hash_that_was_written_down(
    house: House, company: str
) -> None:
    await mailed(house, company, "C1")
    (record,) = await archived(house, company, "C1")
    known = {"n": 1, "hash": record["hash"]}
    assert (await verified(house, company, known=known))["broken"] is None
    assert (await verified(house, company, known=known | {"n": 2}))["broken"]["why"] == "missing"
    body = json.dumps(json.loads(record["body"]) | {"actor": "user:mallory"})
    new = {"company": company, "body": body, "hash": sha256(body.encode()).hexdigest()}
    as_superuser(house, "update archive set body = %(body)s, hash = %(hash)s where company = %(company)s", **new)
    as_superuser(house, "update archive_head set hash = %(hash)s where company = %(company)s", **new)
    assert (await verified(house, company))["broken"] is None, "by itself it is whole"
    broken = (await verified(house, company, known=known))["broken"]
    assert (broken["n"], broken["why"]) == (1, "not-the-known-hash")


async def test_the_chain_outlives_the_person(house: House, company: str) -> None:
    """Rule 22.25: what was personal is gone, that it was sent stays provable by who has a copy."""
    await mailed(house, company, "C1", "C2")
    (before,) = await archived(house, company, "C1")
    handed_out = await house.get(company, "/person-data", client_id="C1")
    assert f"c1@{company}.example" in str(handed_out["archive"]), "whoever asks is told of it"
    heard = await house.voices.say(company, [Said(PersonErased(client_id="C1", version=2), "C1")])
    await house.get(company, "/tasks", heard)
    mail, erasure = await archived(house, company, "C1")
    assert (mail["person"], erasure["kind"]) == (None, "person_erased")
    assert (mail["hash"], mail["content"]) == (before["hash"], before["content"])
    async with transaction(house.process.engine) as tx:
        connection = await driver(tx)
        found = await connection.execute("select body from archive_person where company = %s", (company,))
        assert f"c1@{company}.example" not in str(await found.fetchall())
    done = await verified(house, company)
    assert (done["broken"], done["records"], done["contents"], done["contents_erased"], done["erased"]) == (
        None, 3, 1, 1, 1,
    )  # fmt: skip
