"""From the first event, ledger's tables come out the same; a row corrupted by hand is named (Decided 12)."""

import asyncio
from typing import Any

import nats
from sqlalchemy import text

from chassis.database import transaction
from chassis.rebuild import Rebuild, Report
from contracts.subjects import partition_filter, partition_of, stream
from tests.integration.ledger.conftest import House, Voice, entry_id, synced

WRITTEN = ("entry", "client", "promise", "dispute", "entry_stop", "entry_expectation", "client_merge", "note")


async def rebuilt(house: House) -> Report:
    service = house.process.service
    assert service.listening is not None
    settings = service.settings
    rebuild = Rebuild(
        service.name,
        "services.ledger",
        service.listening,
        service.events,
        settings.owner_database_url,
        settings.nats_url,
    )
    return await rebuild.run()


def named(report: Report, company: str) -> list[dict[str, Any]]:
    """The differing rows of one company: other tests share the servers."""
    return [difference for difference in report.differing if company in str(difference["key"])]


async def some_life(voice: Voice, house: House, company: str) -> None:
    assert (await house.put(company, "", {"name": "Acme", "dispute_reasons": ["price"]})).status_code == 200
    lines = [synced(f"I{n}", f"C{n % 7}", "100", "AA" if n < 7 else None) for n in range(40)]
    heard = await voice.run(company, lines)
    await house.get(company, "/client", heard=heard, client_id="C1")
    await house.until_said(company, "LetteringErrorFound", 7)
    promised = {"client_id": "C1", "entry_id": entry_id("I8"), "promised_on": "2026-03-11"}
    for path, body in [
        ("/record-promise", promised),
        ("/stop-client", {"client_id": "C2"}),
        ("/stop-entry", {"client_id": "C1", "entry_id": entry_id("I8")}),
        ("/add-note", {"client_id": "C3", "text": "Bonjour"}),
        ("/assign-profile", {"client_id": "C3", "profile": "Export"}),
        ("/stop-client", {"client_id": "C4", "resumes_on": "2026-03-12"}),
        ("/stop-entry", {"client_id": "C4", "entry_id": entry_id("I11"), "resumes_on": "2026-03-20"}),
        ("/open-dispute", {"client_id": "C1", "entry_id": entry_id("I8"), "reason": "price"}),
        ("/reposition-entry", {"client_id": "C1", "entry_id": entry_id("I8"), "expected_on": "2026-05-01"}),
        ("/flag-client", {"client_id": "C5"}),
        ("/erase-person", {"client_id": "C6"}),
        ("/erase-person", {"client_id": "C6"}),
        ("/merge-clients", {"client_id": "C2", "into": "C3"}),
        ("/day", {"as_of": "2026-03-12"}),
    ]:
        assert (await house.post(company, path, body)).status_code == 200, path
    heard = await voice.run(company, [synced(f"P{n}", f"C{n}", "-100", "AA") for n in range(7)])
    await house.get(company, "/client", heard=heard, client_id="C1")
    await house.until_said(company, "PaymentLettered", 7)


async def test_a_rebuild_gives_the_same_rows_while_people_work(voice: Voice, house: House, company: str) -> None:
    await some_life(voice, house, company)
    report, *answers = await asyncio.gather(
        rebuilt(house),
        *(house.post(company, "/add-note", {"client_id": f"C{n % 7}", "text": "x"}) for n in range(20)),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert not named(report, company)
    assert all(report.tables[name] for name in WRITTEN)


async def test_a_corrupted_row_is_named(voice: Voice, house: House, company: str) -> None:
    await some_life(voice, house, company)
    spoil = text("update entry set debit = debit + :by where company = :company and entry_id = :entry_id")
    row = {"company": company, "entry_id": entry_id("I9")}
    async with transaction(house.process.engine) as tx:
        await tx.execute(spoil, row | {"by": 1})
    report = await rebuilt(house)
    (difference,) = named(report, company)
    assert not report.equal
    assert difference["table"] == "entry"
    assert entry_id("I9") in str(difference["key"])
    async with transaction(house.process.engine) as tx:
        await tx.execute(spoil, row | {"by": -1})
    assert not named(await rebuilt(house), company)


async def test_commands_reach_the_stream(voice: Voice, house: House, company: str) -> None:
    heard = await voice.run(company, [synced("I1", "C1", "10")])
    await house.get(company, "/client", heard=heard, client_id="C1")
    p = partition_of(company, "C1")
    bus = await nats.connect(house.stack.nats_url("reader"))
    try:
        listening = await bus.jetstream().subscribe(
            partition_filter("ledger", p), stream=stream("ledger"), ordered_consumer=True
        )
        answer = await house.post(company, "/stop-client", {"client_id": "C1"})
        number = int(answer.json()["position"].split("/")[2])
        while True:
            message = await listening.next_msg(timeout=10)
            if f".{company}." in message.subject and message.subject.endswith("ClientStopped"):
                break
        assert message.headers is not None
        assert number == int(message.headers["ce-partitionseq"])
    finally:
        await bus.close()
