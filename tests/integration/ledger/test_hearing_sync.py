"""What ledger makes of what sync says."""

from uuid import uuid4

from chassis.eventlog import Said
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, EntriesSynced, SyncCompleted, SyncedClient
from tests.integration.ledger.conftest import House, Voice, entry_id, synced


async def test_a_promise_is_kept_and_the_payment_told_when_the_entry_is_lettered(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 10.2."""
    heard = await voice.run(company, [synced("I1", "C1", "100"), synced("P1", "C1", "-100")])
    await house.get(company, "/client", heard=heard, client_id="C1")
    promised = {"client_id": "C1", "entry_id": entry_id("I1"), "promised_on": "2026-03-12"}
    promise_id = (await house.post(company, "/record-promise", promised)).json()["promise_id"]

    await voice.run(company, [synced("I1", "C1", "100", "AA"), synced("P1", "C1", "-100", "AA")])
    (kept,) = await house.until_said(company, "PromiseKept")
    assert kept["promise_id"] == promise_id
    (paid,) = await house.until_said(company, "PaymentLettered")
    assert (paid["payments"], paid["settled"]) == ([entry_id("P1")], [entry_id("I1")])
    client = await house.get(company, "/client", client_id="C1")
    assert [promise["status"] for promise in client["promises"]] == ["kept"]


async def test_a_lettering_error_is_found_and_cleared(voice: Voice, house: House, company: str) -> None:
    """Rule 2.8."""
    await voice.run(company, [synced("I1", "C1", "100", "AA"), synced("P1", "C1", "-90", "AA")])
    await house.until_said(company, "LetteringErrorFound")
    errors = (await house.get(company, "/lettering-errors"))["errors"]
    assert [(error["client_id"], error["lettering"], error["difference"]) for error in errors] == [
        ("C1", "AA", "10.0000")
    ]
    open_lines = await house.get(company, "/statement", client_id="C1", lettered="false")
    assert [line["lettering_error"] for line in open_lines["entries"]] == [True, True]

    await voice.run(company, [synced("P2", "C1", "-10", "AA")])
    await house.until_said(company, "LetteringErrorCleared")
    assert (await house.get(company, "/lettering-errors"))["errors"] == []
    assert (await house.get(company, "/statement", client_id="C1", lettered="false"))["entries"] == []


async def test_a_group_split_over_events_is_judged_when_the_run_is_complete(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 2.8: no error is raised between two batches of one run."""
    run_id, p = uuid4(), partition_of(company, "C1")

    def lines(*entries: object) -> Said:
        return Said(EntriesSynced(run_id=run_id, source="book", entries=entries), partition=p)  # type: ignore[arg-type]

    clients = Said(
        ClientsSynced(run_id=run_id, source="b", clients=(SyncedClient(client_id="C1", account="411000"),)),
        partition=p,
    )
    half = await voice.say(company, [clients, lines(synced("I1", "C1", "100", "AA"))])
    await house.get(company, "/client", heard=half, client_id="C1")
    whole = await voice.say(company, [lines(synced("P1", "C1", "-100", "AA"))])
    await voice.say(
        company,
        [
            Said(
                SyncCompleted(
                    run_id=run_id,
                    connector="fec",
                    source="book",
                    completed_at="2026-03-10T08:00:00Z",  # type: ignore[arg-type]
                    entries_read=2,
                    changed=2,
                    archived=0,
                    positions={"sync": {p: whole[-1].number}},
                )
            )
        ],
    )
    await house.until_said(company, "PaymentLettered")
    assert "LetteringErrorFound" not in [kind for kind, _ in await house.said(company)]


async def test_an_entry_that_accounting_dropped_is_archived_and_its_stop_kept(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 2.9."""
    invoice = synced("I1", "C1", "100")
    heard = await voice.run(company, [invoice, synced("I2", "C1", "50")])
    await house.get(company, "/client", heard=heard, client_id="C1")
    stop = {"client_id": "C1", "entry_id": entry_id("I1")}
    assert (await house.post(company, "/stop-entry", stop)).status_code == 200

    heard = await voice.run(company, [invoice.model_copy(update={"removed": True})])
    statement = await house.get(company, "/statement", heard=heard, client_id="C1")
    assert [line["piece"] for line in statement["entries"]] == ["I2"]
    client = await house.get(company, "/client", client_id="C1")
    assert [known["entry_id"] for known in client["stopped_entries"]] == [entry_id("I1")]
    assert (await house.post(company, "/record-promise", stop)).json()["type"] == "unknown-entry"

    heard = await voice.run(company, [invoice])
    statement = await house.get(company, "/statement", heard=heard, client_id="C1")
    stopped = {line["piece"]: line["stopped"] for line in statement["entries"]}
    assert stopped == {"I1": True, "I2": False}


async def test_the_profile_a_user_chose_wins_over_sync(voice: Voice, house: House, company: str) -> None:
    """Rule 3.5."""
    p = partition_of(company, "C1")

    async def sync(profile: str | None) -> None:
        client = SyncedClient(client_id="C1", account="411000", profile=profile, category="B2B")
        heard = await voice.say(
            company, [Said(ClientsSynced(run_id=uuid4(), source="b", clients=(client,)), partition=p)]
        )
        await house.get(company, "/client", heard=heard, client_id="C1")

    async def told() -> tuple[str | None, int]:
        client = await house.get(company, "/client", client_id="C1")
        return client["profile"], client["version"]

    await sync("Export")
    assert await told() == ("Export", 1)
    await house.post(company, "/assign-profile", {"client_id": "C1", "profile": "Interne"})
    assert await told() == ("Interne", 2)
    await sync("Standard")
    assert await told() == ("Interne", 2)
    await house.post(company, "/assign-profile", {"client_id": "C1", "profile": None})
    assert await told() == ("Standard", 3)
