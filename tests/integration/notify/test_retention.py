"""Contents that have had their time are shown, then erased, and that they were is sealed (rule 22.34)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import clock
from chassis.database import transaction
from chassis.eventlog import Said
from chassis.running import Running
from contracts.ledger import (
    ClientMerged,
    CompanyRegistered,
    DisputeOpened,
    LegalHoldLifted,
    LegalHoldPlaced,
    LetteringErrorFound,
    RetentionChosen,
)
from contracts.retention import kept_from
from services.notify import retention
from services.notify.archive.archivist import Archivist
from services.notify.retention import expire, expire_today
from tests.integration.notify.conftest import House, action, entry_id, synced
from tests.integration.notify.test_letters import letters_due, prepare

TODAY = clock.today("Europe/Paris")


def after(months: int) -> date:
    """The first day on which what is written today has had its time."""
    day = TODAY + timedelta(days=months * 28)
    while kept_from(day, months) <= TODAY + timedelta(days=1):
        day += timedelta(days=1)
    return day


async def due(house: House, company: str, on: date) -> Any:
    answer = await house.call(company, "GET", "/retention/due", headers={"Relance-As-Of": str(on)})
    assert answer.status_code == 200, answer.text
    return {name: count for name, count in answer.json()["due"].items() if count}


async def settled(house: House, company: str, *clients: str, left_open: str = "") -> dict[str, str]:
    """A mail to each, whose invoice is lettered since unless it is left open; what was sent is sealed."""
    invoices = {one: synced(f"F-{one}", one, "100") for one in clients}
    await house.voices.book(company, invoices.values())
    actions = {one: action(company, one, [line]) for one, line in invoices.items()}
    await house.voices.due(company, *actions.values())
    await house.until_said(company, "EmailSent", len(clients))
    lettered = [line.model_copy(update={"lettering": "AA"}) for one, line in invoices.items() if one != left_open]
    heard = await house.voices.book(company, lettered, version=2)
    await house.get(company, "/sending", heard)
    await Archivist(house.process).catch_up()
    return {one: str(made.action_id) for one, made in actions.items()}


async def verified(house: House, company: str) -> Any:
    answer = await house.call(company, "POST", "/archive/verify", json={})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_contents_end_by_themselves_and_only_those_that_nobody_needs(house: House, company: str) -> None:
    """The eve, the day; a dispute, a hold and an open invoice keep theirs; the archive says what became of it."""
    sent = await settled(house, company, "C1", "C2", "C3", "C4", left_open="C4")
    held = [Said(LegalHoldPlaced(client_id="C3"), "C3")]
    held.append(Said(DisputeOpened(dispute_id=uuid4(), client_id="C2", reason="price"), "C2"))
    heard = await house.voices.say(company, held)
    await house.get(company, "/sending", heard)

    day = after(60)
    assert await due(house, company, day - timedelta(days=3)) == {}
    assert await due(house, company, day) == {"messages": 1}
    assert await due(house, company, day) == {"messages": 1}, "looking changes nothing"

    assert (await expire(house.process, company, day))["messages"] == 1
    assert await due(house, company, day) == {}
    (said,) = await house.said(company, "ContentsExpired")
    assert (said["messages"], said["letters"]) == (1, 0)
    gone = await house.call(company, "GET", "/message/eml", params={"action_id": sent["C1"]})
    assert gone.status_code == 410
    for client_id in ("C2", "C3", "C4"):
        kept = await house.call(company, "GET", "/message/eml", params={"action_id": sent[client_id]})
        assert kept.status_code == 200, client_id
    found = await house.get(company, "/archive", client_id="C1")
    assert [one["kind"] for one in found["records"]] == ["email_sent", "content_expired"]
    assert found["records"][0]["person"]["recipients"] == [f"c1@{company}.example"], "its own time is longer"
    done = await verified(house, company)
    assert (done["broken"], done["contents"], done["contents_erased"]) == (None, 3, 1)

    again = await expire(house.process, company, day)
    assert not any(again.values())
    assert len(await house.said(company, "ContentsExpired")) == 1

    heard = await house.voices.say(company, [Said(LegalHoldLifted(client_id="C3"), "C3")])
    await house.get(company, "/sending", heard)
    assert await due(house, company, day) == {"messages": 1}, "released, it is counted again"


async def test_the_archive_forgets_persons_in_its_own_time_and_stays_whole(house: House, company: str) -> None:
    """Rule 19.9: the records stay; what is missing without that being sealed is still named."""
    await settled(house, company, "C1", "C2")
    day = after(120)
    found = await due(house, company, day)
    assert found == {"messages": 2, "archive": 2}
    counts = await expire(house.process, company, day)
    assert (counts["messages"], counts["archive"]) == (2, 2)
    records = (await house.get(company, "/archive", client_id="C1"))["records"]
    assert {one["kind"] for one in records} == {"email_sent", "content_expired", "person_expired"}
    assert records[0]["person"] is None
    done = await verified(house, company)
    assert (done["broken"], done["records"], done["erased"]) == (None, 6, 2)

    await settled(house, f"{company}x", "C1")
    async with transaction(house.process.engine, f"{company}x") as tx:
        await tx.execute(text("delete from archive_person where company = :company"), {"company": f"{company}x"})
    assert (await verified(house, f"{company}x"))["broken"]["why"] == "person-missing"


async def test_a_company_chooses_its_periods(house: House, company: str) -> None:
    """Shorter, and never."""
    await settled(house, company, "C1")
    for months, expected in ((3, {"messages": 1}), (None, {})):
        chosen = RetentionChosen(messages=months, answers=60, reports=12, files=60, archive=120)
        heard = await house.voices.say(company, [Said(chosen)])
        await house.get(company, "/sending", heard)
        assert await due(house, company, after(3)) == expected


async def test_what_waits_for_a_client_or_is_lettered_in_error_keeps_its_messages(
    house: House, company: str
) -> None:
    """A hold that could not be applied yet counts; an invoice in a group that does not balance is still owed."""
    await settled(house, company, "C1", "C2", "C3")
    waits = """
        insert into parked (speaker, p, company, key, pseq, event_id, type, major, as_of, occurred_at, actor,
            correlation_id, body, error)
        values ('ledger', 0, :c, 'C2', 1, gen_random_uuid(), 'LegalHoldPlaced', 1, current_date, now(),
            'user:alice', gen_random_uuid(), '{}', 'Error')
    """
    async with transaction(house.process.engine, company) as tx:
        await tx.execute(text(waits), {"c": company})
    account = synced("F-C3", "C3", "100").account
    wrong = LetteringErrorFound(client_id="C3", account=account, lettering="AA", difference=Decimal("1"))
    heard = await house.voices.say(company, [Said(wrong, "C3")])
    await house.get(company, "/sending", heard)
    assert await due(house, company, after(60)) == {"messages": 1}


async def test_a_message_is_kept_while_its_invoice_is_open_under_the_code_that_the_client_became(
    house: House, company: str
) -> None:
    """Rule 5.9, over a chain: the line took another id on its way. Settled there, the message has had its time."""
    sent = await settled(house, company, "A", "D", left_open="A")
    day = after(60)
    assert await due(house, company, day) == {"messages": 1}, "D's alone"
    gone = synced("F-A", "A", "100").model_copy(update={"removed": True})
    other = {"entry_id": entry_id("F-A of C"), "client_id": "C"}
    moved = gone.model_copy(update=other | {"removed": False})
    heard = await house.voices.book(company, [gone, moved, synced("F-C", "C", "70", lettering="ZZ")], version=3)
    await house.get(company, "/sending", heard)
    assert await due(house, company, day) == {"messages": 2}, "nobody said yet that A became another"

    merges = [ClientMerged(client_id=one, into=other) for one, other in (("A", "B"), ("B", "C"))]
    heard = await house.voices.say(company, [Said(merge, merge.client_id) for merge in merges])
    await house.get(company, "/sending", heard)
    assert await due(house, company, day) == {"messages": 1}
    await expire(house.process, company, day)
    kept = await house.call(company, "GET", "/message/eml", params={"action_id": sent["A"]})
    assert kept.status_code == 200

    heard = await house.voices.book(company, [moved.model_copy(update={"lettering": "AB"})], version=4)
    await house.get(company, "/sending", heard)
    assert await due(house, company, day) == {"messages": 1}


async def test_trouble_of_one_company_leaves_the_others_their_turn_and_is_told(
    house: House, company: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A deadlock, a lost connection: tried again in the next round."""
    companies = [f"{company}a", f"{company}b"]
    for one in companies:
        heard = await house.voices.say(one, [Said(CompanyRegistered(name="Acme"))])
        await house.get(one, "/sending", heard)
    turns: list[str] = []
    troubled = set(companies[:1])

    async def expire_or_not(running: Running, one: str, as_of: date) -> dict[str, int]:
        turns.append(one)
        if one in troubled:
            raise DBAPIError("delete", {}, DeadlockDetected())
        return await expire(running, one, as_of)

    monkeypatch.setattr(retention, "expire", expire_or_not)
    await expire_today(house.process)
    assert [one for one in turns if one in companies] == companies
    assert companies[0] in house.process.health.hindered_by()["retention"]
    assert companies[1] not in house.process.health.hindered_by()["retention"]
    assert "contents that had their time could not be erased" in caplog.messages
    troubled.clear()
    turns.clear()
    await expire_today(house.process)
    assert [one for one in turns if one in companies] == companies[:1]
    assert "retention" not in house.process.health.hindered_by()


async def test_a_company_at_rest_keeps_what_it_has(house: House, company: str) -> None:
    await settled(house, company, "C1")
    hold = "insert into company_hold (company, held_by, until) values (:company, 'olivia', current_date)"
    turn = text("select as_of from expired_day where company = :company")
    async with transaction(house.process.engine, company) as tx:
        await tx.execute(text("delete from expired_day where company = :company"), {"company": company})
        await tx.execute(text(hold), {"company": company})
    try:
        await expire_today(house.process)
        async with transaction(house.process.engine, company) as tx:
            assert await tx.scalar(turn, {"company": company}) is None
    finally:
        async with transaction(house.process.engine, company) as tx:
            await tx.execute(text("delete from company_hold where company = :company"), {"company": company})
    await expire_today(house.process)
    async with transaction(house.process.engine, company) as tx:
        assert await tx.scalar(turn, {"company": company}) == TODAY


async def test_letters_answers_reports_and_orphaned_files_end_too(house: House, company: str) -> None:
    (letter,), _ = await letters_due(house, company, "C1")
    await prepare(house, company, [letter])
    lines = [synced("F-C1", "C1", "100", lettering="AA")]
    spoken = [line.entry_id for line in letter.entries]
    async with transaction(house.process.engine, company) as tx:
        await tx.execute(
            text(
                "insert into report (company, digest, n, kind, reason, action_id, client_id, address, text) values"
                " (:c, 'a', 0, 'reply', 'person', :action, 'C1', 'a@x.example', 'Bonjour'),"
                " (:c, 'b', 0, 'hard', 'user_unknown', :action, 'C1', 'b@x.example', null)"
            ),
            {"c": company, "action": letter.action_id},
        )
        await tx.execute(
            text(
                "insert into attachment (company, sha256, media_type, bytes, content)"
                " values (:c, 'ff', 'text/plain', 1, 'x')"
            ),
            {"c": company},
        )
    heard = await house.voices.book(
        company, [line.model_copy(update={"entry_id": one}) for one in spoken for line in lines], version=9
    )
    await house.get(company, "/sending", heard)
    await Archivist(house.process).catch_up()
    assert await due(house, company, after(12)) == {"reports": 1}
    day = after(60)
    assert await due(house, company, day) == {"letters": 1, "answers": 1, "reports": 1, "attachments": 1}
    await expire(house.process, company, day)
    async with transaction(house.process.engine, company) as tx:
        left = await tx.execute(
            text("select address, text from report where company = :c order by digest"), {"c": company}
        )
        assert [tuple(row) for row in left] == [(None, None), (None, None)]
        pdf = await tx.scalar(text("select pdf from letter where company = :c"), {"c": company})
        assert pdf is None
    assert (await verified(house, company))["broken"] is None


async def test_only_administrators_of_the_whole_company_look_and_erase(house: House, company: str) -> None:
    for method, path in (("GET", "/retention/due"), ("POST", "/retention/run")):
        headers = house.token(company, role="user")
        answer = await house.http.request(method, f"/companies/{company}{path}", headers=headers)
        assert answer.status_code == 403
    answer = await house.call(company, "POST", "/retention/run")
    assert (answer.status_code, set(answer.json()["erased"].values())) == (200, {0})
