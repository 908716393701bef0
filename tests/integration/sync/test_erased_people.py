"""A person that ledger erased: no sample keeps it, and it is handed over again for ledger to decide about."""

from typing import Any

from sqlalchemy import text

from chassis.database import transaction
from chassis.delivered import Delivered
from contracts.ledger import PersonErased
from services.sync import samples
from services.sync.main import build
from services.sync.settings import SyncSettings
from tests.integration.sync.conftest import AS_OF, Sync
from tests.integration.sync.test_http import Door, door
from tests.integration.sync.test_mapped_files import OPEN_INVOICES, ROWS, text_of

__all__ = ["door"]

FILE = text_of(ROWS)


async def erased(sync: Sync, company: str, client_id: str) -> None:
    """What sync does when it hears so, wired as in ``main``."""
    settings = sync.running.settings
    assert isinstance(settings, SyncSettings)
    listening = build(settings).listening
    assert listening is not None
    event = PersonErased(client_id=client_id, version=2)
    heard = [Delivered.of(event, company=company, client_id=client_id, as_of=AS_OF)]
    async with transaction(sync.running.engine) as tx:
        await listening.project["PersonErased"](tx, heard)
        await listening.react["PersonErased"](sync.running.say(tx), heard)


async def kept(sync: Sync, company: str) -> dict[str, int]:
    """Samples, and files whether of samples or of runs."""
    counts = (
        "select (select count(*) from sample where company = :company) as samples,"
        " (select count(distinct run_id) from upload where company = :company) as files"
    )
    async with transaction(sync.running.engine) as tx:
        return dict((await tx.execute(text(counts), {"company": company})).one()._mapping)


async def looked_at(door: Door, company: str) -> str:
    """The id of a sample that was just sent."""
    answer = await door.call("POST", company, "/samples", params={"filename": "f.csv"}, content=FILE)
    assert answer.status_code == 201, answer.text
    sample_id: str = answer.json()["sample_id"]
    return sample_id


async def aged(sync: Sync, company: str, hours: int) -> None:
    older = text("update sample set sent_at = sent_at - make_interval(hours => :hours) where company = :company")
    async with transaction(sync.running.engine) as tx:
        await tx.execute(older, {"company": company, "hours": hours})


async def test_an_erased_person_is_handed_over_each_time_so_that_it_can_be_admitted_again(
    sync: Sync, company: str
) -> None:
    await sync.register(company)
    for _ in range(2):
        run: dict[str, Any] = await sync.mapped(company, "factures", OPEN_INVOICES, FILE)
        assert run["status"] == "completed", run["errors"]
    assert set(sync.ledger.people()) == {"C1", "C2"}

    for _ in range(2):
        await erased(sync, company, "C1")
        sync.ledger.calls.clear()
        run = await sync.mapped(company, "factures", OPEN_INVOICES, FILE)
        assert (run["status"], run["changed"]) == ("completed", 0)
        assert sync.ledger.people() == {"C1": {"client_id": "C1", "name": "Ébénisterie du Port", "emails": []}}, (
            "the person of C1, not the one of C2"
        )


async def test_samples_go_after_a_day_though_nobody_sends_another(door: Door, sync: Sync, company: str) -> None:
    other = f"{company}x"
    for one in (company, other):
        await sync.register(one)
        await looked_at(door, one)
    await aged(sync, company, 25)
    await aged(sync, other, 23)
    async with transaction(sync.running.engine) as tx:
        await samples.clean(tx)
    assert await kept(sync, company) == {"samples": 0, "files": 0}
    assert await kept(sync, other) == {"samples": 1, "files": 1}


async def test_files_of_runs_that_wait_stay_and_those_of_nothing_go(door: Door, sync: Sync, company: str) -> None:
    await sync.register(company)
    await door.call("PUT", company, "/mappings/factures", json=OPEN_INVOICES)
    ask = {"sample": await looked_at(door, company), "mapping": "factures"}
    assert (await door.call("POST", company, "/imports", params=ask)).status_code == 202
    left = text("insert into upload (company, run_id, part, content) values (:company, gen_random_uuid(), 0, '')")
    async with transaction(sync.running.engine) as tx:
        await tx.execute(left, {"company": company})
    assert await kept(sync, company) == {"samples": 0, "files": 2}
    async with transaction(sync.running.engine) as tx:
        await samples.clean(tx)
    assert await kept(sync, company) == {"samples": 0, "files": 1}
    await sync.carry_out()
    (run,) = (await door.call("GET", company, "/imports")).json()["runs"]
    assert (run["status"], run["changed"]) == ("completed", 5), run["errors"]


async def test_an_erasure_lets_go_of_the_samples_of_its_company(door: Door, sync: Sync, company: str) -> None:
    other = f"{company}x"
    for one in (company, other):
        await sync.register(one)
        await looked_at(door, one)
    await erased(sync, company, "C1")
    assert await kept(sync, company) == {"samples": 0, "files": 0}
    assert await kept(sync, other) == {"samples": 1, "files": 1}
