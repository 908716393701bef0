"""Pages over HTTP, from events said by the other services on real streams."""

import asyncio
import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any
from uuid import UUID, uuid4

import pytest_asyncio

from chassis.auth import mint, read_key
from chassis.eventlog import Position
from contracts.dunning import (
    Action,
    ActionDone,
    ActionDue,
    ActionEntry,
    ActionExcluded,
    ActionProposed,
    ActionWithdrawn,
    ExcludedEntry,
    LevelMove,
    PolicyChanged,
    RoundCompleted,
    ScenarioPublished,
    ScenarioStep,
)
from contracts.ledger import (
    CashObjectivesChosen,
    ClientChanged,
    ClientStopped,
    CompanyRegistered,
    DisputeOpened,
    EntryRepositioned,
    EntryStopped,
    HalfYearRates,
    LateInterestChosen,
    LetteredGroup,
    NoteAdded,
    PaymentLettered,
    PaymentsLettered,
    PersonErased,
    ProfileNamed,
    ProfilesChanged,
    PromiseCancelled,
    PromiseKept,
    PromiseRecorded,
)
from contracts.notify import CallLogged, EmailFailed, EmailInDoubt, EmailOpened, EmailSent
from contracts.objectives import CashObjective, MonthlyAmount
from contracts.subjects import partition_of
from contracts.sync import EntriesSynced, SyncCompleted, SyncedEntry
from tests.integration.reporting.conftest import DAY, House, Names, Voices

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def entry_id(name: str) -> str:
    return md5(name.encode()).hexdigest()


def line(name: str, client_id: str, amount: str, due: date, lettering: str | None = None) -> SyncedEntry:
    """An invoice of ``amount`` made 30 days before it is due, or a payment when it is negative."""
    signed = Decimal(amount)
    return SyncedEntry(
        entry_id=entry_id(name),
        client_id=client_id,
        account="411000",
        kind="invoice" if signed > 0 else "payment",
        journal="VT",
        piece=name,
        entry_date=due - timedelta(days=30) if signed > 0 else due,
        due_date=due,
        debit=max(signed, Decimal(0)),
        credit=max(-signed, Decimal(0)),
        currency="EUR",
        book_amount=signed,
        payment_mode="transfer",
        lettering=lettering,
    )


def action(client_id: str, step: str, medium: str, amount: str, *names: str) -> Action:
    return Action(
        action_id=uuid4(),
        client_id=client_id,
        profile="Standard",
        scenario_version=1,
        kind="reminder",
        step=step,
        medium=medium,
        currency="EUR",
        amount=Decimal(amount),
        net_amount=Decimal(amount),
        book_net_amount=Decimal(amount),
        due_since=DAY - timedelta(days=7),
        entries=tuple(
            ActionEntry(entry_id=entry_id(name), occurrence=1, amount=Decimal(amount), due_date=DAY)
            for name in names
        ),
    )


class Book:
    """A company of two clients: Munoz with seven lines and a history, Hôtel du Parc stopped."""

    def __init__(self, company: str, voices: Voices) -> None:
        self.company = company
        self.voices = voices
        self.heard: list[Position] = []
        self.mail = action("411MUNOZ", "R1", "email", "8412.36", "FAC20114")
        self.call = action("411MUNOZ", "R2", "phone", "3960.48", "FAC20156")
        self.letter = action("411PARC", "R1", "letter", "7316.00", "FAC30001")
        self.promise_id = uuid4()

    async def say(self, *events: Any, **how: Any) -> None:
        self.heard += await self.voices.say(self.company, *events, **how)

    async def sync(self, *lines: SyncedEntry) -> None:
        run = uuid4()
        for client_id in sorted({one.client_id for one in lines}):
            mine = tuple(one for one in lines if one.client_id == client_id)
            p = partition_of(self.company, client_id)
            await self.say(EntriesSynced(run_id=run, source="book", entries=mine), partition=p)
        done = SyncCompleted(
            run_id=run,
            connector="fec",
            source="book",
            completed_at=NOW,
            entries_read=len(lines),
            changed=len(lines),
            archived=0,
            positions={},
        )
        await self.say(done)

    async def fill(self) -> None:
        await self.say(CompanyRegistered(name="Ateliers Delcourt"))
        await self.sync(
            line("FAC19988", "411MUNOZ", "5460.00", date(2026, 10, 12), "BC"),
            line("VIR11", "411MUNOZ", "-5460.00", date(2026, 11, 12), "BC"),
            line("FAC20114", "411MUNOZ", "8412.36", date(2026, 10, 30)),
            line("FAC20156", "411MUNOZ", "3960.48", date(2026, 11, 5)),
            line("AVR00412", "411MUNOZ", "-640.32", date(2026, 11, 10)),
            line("FAC20233", "411MUNOZ", "4310.03", date(2026, 12, 2)),
            line("FAC20300", "411MUNOZ", "100.00", DAY),
            line("FAC30001", "411PARC", "7316.00", date(2026, 9, 1)),
        )
        await self.say(
            ClientChanged(client_id="411MUNOZ", version=1, has_email=True, has_phone=True, category="BTP"),
            ClientChanged(client_id="411PARC", version=1, profile="Export"),
            ClientStopped(client_id="411PARC"),
            EntryStopped(client_id="411MUNOZ", entry_id=entry_id("FAC20233")),
            NoteAdded(note_id=uuid4(), client_id="411MUNOZ", entry_id=entry_id("FAC20114")),
            NoteAdded(note_id=uuid4(), client_id="411MUNOZ"),
            PromiseRecorded(
                promise_id=self.promise_id,
                client_id="411MUNOZ",
                entry_id=entry_id("FAC20114"),
                amount=Decimal("5000.00"),
                currency="EUR",
                promised_on=date(2026, 11, 23),
            ),
            on=date(2026, 9, 20),
        )
        steps = (
            ScenarioStep(step="R1", medium="email", delay_days=8),
            ScenarioStep(step="R2", medium="phone", delay_days=8, counted_from="previous_step"),
        )
        await self.say(
            PolicyChanged(version=1),
            ScenarioPublished(profile="Standard", version=1, with_email=steps, without_email=steps),
            ActionDue(action=self.mail),
            on=date(2026, 11, 18),
            actor="user:nathalie",
        )
        await self.say(
            EmailSent(
                action_id=self.mail.action_id,
                client_id="411MUNOZ",
                message_id="m",
                sent_at=NOW - timedelta(days=6),
            ),
            EmailOpened(
                action_id=self.mail.action_id,
                client_id="411MUNOZ",
                message_id="m",
                opened_at=NOW - timedelta(days=5),
            ),
            on=date(2026, 11, 18),
        )
        await self.say(
            ActionDone(
                action_id=self.mail.action_id,
                client_id="411MUNOZ",
                step="R1",
                medium="email",
                done_on=date(2026, 11, 18),
                levels=(LevelMove(entry_id=entry_id("FAC20114"), level_before=None, level_after="R1"),),
            ),
            on=date(2026, 11, 18),
        )
        await self.say(
            ActionProposed(action=self.call),
            ActionProposed(action=self.letter),
            ActionExcluded(
                client_id="411MUNOZ",
                entries=(ExcludedEntry(entry_id=entry_id("FAC20233"), step="notice", reasons=("entry_stopped",)),),
            ),
            RoundCompleted(round_on=DAY, clients=2, entries=3, proposed=2, due=0, excluded=1),
        )


@pytest_asyncio.fixture
async def book(company: str, voices: Voices, ledger_names: Names) -> Book:
    ledger_names.know(company, "411MUNOZ", "Munoz S.A.")
    ledger_names.know(company, "411PARC", "Hôtel du Parc")
    made = Book(company, voices)
    await made.fill()
    return made


async def named(house: House, book: Book) -> None:
    """Wait until the names have been fetched."""
    for _ in range(200):
        rows = (await house.get(book.company, "/clients", book.heard))["rows"]
        if rows and all(row["name"] != row["client_id"] for row in rows):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the names have not come")


async def test_home_shows_what_is_owed_paid_and_to_be_reminded(house: House, book: Book) -> None:
    """Rules 1.5, 9.5, 9.6: what is to be reminded is less than what is overdue, counted by client and step."""
    home = await house.get(book.company, "/home", book.heard)
    assert home["owed"] == {
        "total": "23458.55",
        "clients": 2,
        "overdue": "19048.52",  # 8412.36 + 3960.48 - 640.32 + 7316.00: the credit nets its slice (1.4)
        "overdue_clients": 2,
        "upcoming": "4410.03",  # due today is not late (1.3)
        "upcoming_clients": 1,
    }
    assert home["paid"]["since"] == "2026-08-27"
    assert home["paid"]["amount"] == "6100.32"  # credit notes count as well (1.6)
    assert home["to_remind"]["amount"] == "11276.48"
    assert (home["to_remind"]["actions"], home["to_remind"]["clients"]) == (2, 2)
    assert [one["actions"] for one in home["to_remind"]["media"]] == [1, 1, 0, 0]
    assert [bucket["amount"] for bucket in home["ageing"]] == [
        "0.00",
        "7316.00",
        "0.00",
        "11732.52",
        "4410.03",
        "0.00",
        "0.00",
    ]
    assert [row["client_id"] for row in home["top"]] == ["411MUNOZ", "411PARC"]
    assert home["last_sync"]["on"] == str(DAY)
    assert home["last_round_on"] == str(DAY)
    checks = home["checks"]
    assert checks["late_without_contact"]["clients"][0]["client_id"] == "411PARC"
    assert checks["late_promises"]["amount"] == "5000.00"
    assert checks["stopped_for_long"]["count"] == 1
    assert not checks["stale"]


async def test_the_data_is_stale_from_the_second_day_without_a_run(house: House, book: Book) -> None:
    """Rule 2.6, in whole business days."""
    for days, stale in ((0, False), (1, False), (2, True)):
        home = await house.get(book.company, "/home", book.heard, as_of=str(DAY + timedelta(days=days)))
        assert home["checks"]["stale"] is stale


async def test_a_client_page_tells_amounts_levels_and_what_waits(house: House, book: Book) -> None:
    """Rules 5.2, 17.1: the score looks at the payments of the fiscal year."""
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    assert (page["overdue"], page["upcoming"], page["amount_due"]) == ("11732.52", "4410.03", "16142.55")
    assert (page["level"], page["next_level"], page["has_scenario"]) == ("R1", "R2", True)
    assert page["reminder"] == {"actions": 1, "last_on": "2026-11-18"}
    assert (page["overdue_since"], page["next_due_date"]) == ("2026-10-30", str(DAY))
    assert (page["average_delay_days"], page["score"]) == (31, "D")  # due 12/10, paid 12/11 (17.2)
    assert page["dso_days"] == 265  # 16142.55 owed of 22242.87 invoiced
    assert page["notes"] == 2
    [waiting] = page["pending"]
    assert (waiting["step"], waiting["days_since"], waiting["status"]) == ("R2", 7, "proposed")


async def test_a_statement_shows_days_late_badges_promises_and_reasons(house: House, book: Book) -> None:
    page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
    lines = {one["piece"]: one for one in page["statement"]["entries"]}
    assert [(lines[piece]["days_late"], lines[piece]["badge"]) for piece in lines] == [
        (31, "settled"),  # FAC19988, until it was paid
        (25, "late"),  # FAC20114
        (19, "late"),  # FAC20156
        (14, "settled"),  # AVR00412, an open credit
        (0, "settled"),  # VIR11
        (0, "upcoming"),  # FAC20300, due today
        (-8, "upcoming"),  # FAC20233
    ]
    assert lines["FAC20114"]["level"] == "R1"
    assert lines["FAC20114"]["promises"][0]["status"] == "late"
    assert lines["FAC20114"]["notes"] == 1
    assert lines["FAC20156"]["pending_action_id"] == str(book.call.action_id)
    assert lines["FAC20233"]["excluded"] == ["entry_stopped"]
    assert lines["FAC20233"]["stopped_on"] is not None
    assert (page["statement"]["debit"], page["statement"]["credit"]) == ("16782.87", "640.32")


async def test_late_interest_stands_beside_the_statement_and_in_no_total(house: House, book: Book) -> None:
    """Rules 18.2, 18.3: of a business, on the day of the statement, by period between credits."""

    async def shown() -> Any:
        page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ")
        assert (page["statement"]["debit"], page["overdue"]) == ("16782.87", "11732.52")
        return page["statement"]["late_interest"]

    assert (await shown())["debtor"] == "unsaid"
    rates = (HalfYearRates(starts_on=date(2026, 7, 1), refinancing=Decimal("2.15"), legal=Decimal("2.62")),)
    await book.say(LateInterestChosen(debtors="all_but", categories=("PART",), rates=rates))
    late = await shown()
    assert (late["debtor"], late["provisional"], late["indemnity"]) == ("business", False, "80.00")
    assert late["sums"] == [{"currency": "EUR", "interest": "92.07"}]
    assert [(one["piece"], one["interest"]) for one in late["claims"]] == [
        ("FAC20114", "67.02"),
        ("FAC20156", "25.05"),
    ]
    periods = late["claims"][0]["periods"]
    assert [(one["days"], one["balance"], one["rate"]) for one in periods] == [
        (11, "8412.36", "12.15"),  # until the credit of 10/11
        (14, "7772.04", "12.15"),
    ]


async def test_the_statement_of_a_past_day_shows_what_was_open_then(house: House, book: Book) -> None:
    for day, open_then in (("2026-11-11", True), ("2026-11-12", False)):
        page = await house.get(book.company, "/client", book.heard, client_id="411MUNOZ", statement_on=day)
        lines = {one["piece"]: one for one in page["statement"]["entries"]}
        assert lines["FAC19988"]["open"] is open_then
        assert "FAC20300" in lines


async def test_activities_are_coloured_and_filtered(house: House, book: Book) -> None:
    """Rule 16.5."""
    every = await house.get(book.company, "/activities", book.heard)
    assert every["count"] == 6
    first = every["rows"][0]
    assert (first["kind"], first["status"], first["colour"]) == ("reminder", "opened", "green")
    assert [piece["piece"] for piece in first["pieces"]] == ["FAC20114"]
    assert first["actor"] == "user:nathalie"
    by_kind = {
        kind: await house.get(book.company, "/activities", kind=kind) for kind in ("promise", "note", "stop")
    }
    assert by_kind["promise"]["rows"][0]["status"] == "late"
    assert (by_kind["note"]["count"], by_kind["stop"]["count"]) == (2, 2)
    for query, count in (
        ({"medium": "email"}, 1),
        ({"medium": "phone"}, 0),  # proposed, not confirmed
        ({"actor": "user:nathalie"}, 1),
        ({"status": "late"}, 1),
        ({"client_id": "411PARC"}, 1),
        ({"until": "2026-11-17"}, 5),
        ({"since": "2026-11-18"}, 1),
    ):
        assert (await house.get(book.company, "/activities", **query))["count"] == count, query
    day_before = await house.get(book.company, "/activities", as_of="2026-11-17")
    assert day_before["count"] == 5


async def test_payments_are_in_the_history_of_their_client(house: House, book: Book) -> None:
    lettered = PaymentLettered(
        client_id="411MUNOZ",
        account="411000",
        lettering="BC",
        payments=(entry_id("VIR11"),),
        settled=(entry_id("FAC19988"),),
        paid_on=date(2026, 11, 12),
    )
    await book.say(lettered)
    assert (await house.get(book.company, "/activities", book.heard))["count"] == 6
    [paid] = (await house.get(book.company, "/activities", kind="payment"))["rows"]
    assert (paid["on"], paid["amount"], paid["detail"], paid["colour"]) == ("2026-11-12", "5460.00", "BC", "green")
    page = await house.get(book.company, "/client", client_id="411MUNOZ")
    assert [one["kind"] for one in page["history"]][:2] == ["reminder", "payment"]


async def test_payments_told_together_are_as_many_lines(house: House, book: Book) -> None:
    group = LetteredGroup(
        client_id="411MUNOZ",
        account="411000",
        lettering="BC",
        payments=(entry_id("VIR11"),),
        settled=(entry_id("FAC19988"),),
        paid_on=date(2026, 11, 12),
    )
    together = PaymentsLettered(groups=(group, group.model_copy(update={"lettering": "BD"})))
    await book.say(together, partition=partition_of(book.company, "411MUNOZ"))
    rows = (await house.get(book.company, "/activities", book.heard, kind="payment"))["rows"]
    assert sorted((row["client_id"], row["detail"]) for row in rows) == [("411MUNOZ", "BC"), ("411MUNOZ", "BD")]
    assert len({row["activity_id"] for row in rows}) == 2


async def test_a_call_done_a_mail_failed_and_one_in_doubt(house: House, book: Book) -> None:
    failing, doubtful = (action("411MUNOZ", "R1", "email", "10.00", "FAC20156") for _ in range(2))
    for one in (book.call, failing, doubtful):
        await book.say(ActionDue(action=one))
    home = await house.get(book.company, "/home", book.heard)
    assert [one["actions"] for one in home["to_remind"]["media"]] == [1, 1, 0, 0]  # mails leave by themselves
    await book.say(CallLogged(action_id=book.call.action_id, client_id="411MUNOZ", outcome="no_answer"))
    await book.say(
        EmailFailed(action_id=failing.action_id, client_id="411MUNOZ", message_id="f", reason="refused")
    )
    await book.say(EmailInDoubt(action_id=doubtful.action_id, client_id="411MUNOZ", message_id="d"))
    await book.say(
        ActionDone(
            action_id=book.call.action_id, client_id="411MUNOZ", step="R2", medium="phone", done_on=DAY, levels=()
        ),
        ActionWithdrawn(action_id=failing.action_id, client_id="411MUNOZ", reason="failed"),
    )
    home = await house.get(book.company, "/home", book.heard)
    assert home["to_remind"]["actions"] == 1
    assert (home["checks"]["failed_emails"]["count"], home["checks"]["emails_in_doubt"]["count"]) == (1, 1)
    rows = (await house.get(book.company, "/activities", since=str(DAY)))["rows"]
    shown = {UUID(row["action_id"]): (row["status"], row["colour"], row["detail"]) for row in rows}
    assert shown == {
        book.call.action_id: ("done", "blue", "no_answer"),
        failing.action_id: ("failed", "red", "refused"),
        doubtful.action_id: ("in_doubt", "red", None),
    }


async def test_promises_are_late_from_the_day_after(house: House, book: Book) -> None:
    """Rules 10.2, 10.5, 10.7: the eve, the day, the day after."""
    for day, status, late in (
        ("2026-11-22", "expected", -1),
        ("2026-11-23", "expected", 0),
        (str(DAY), "late", 1),
    ):
        found = await house.get(book.company, "/promises", book.heard, as_of=day)
        assert [(one["status"], one["days_late"]) for one in found["rows"]] == [(status, late)]
    assert (found["amount"], found["overdue"]) == ("5000.00", "11732.52")
    kept = {"promise_id": book.promise_id, "client_id": "411MUNOZ", "entry_id": entry_id("FAC20114")}
    await book.say(PromiseKept(**kept))
    assert (await house.get(book.company, "/promises", book.heard))["count"] == 0
    assert (await house.get(book.company, "/promises", status="kept"))["count"] == 1
    await book.say(PromiseCancelled(**kept))
    assert (await house.get(book.company, "/promises", book.heard, status="cancelled"))["count"] == 1


async def test_who_owes_what_is_filtered_sorted_and_paged(house: House, book: Book) -> None:
    await named(house, book)
    for query, clients in (
        ({}, ["411MUNOZ", "411PARC"]),
        ({"sort": "overdue"}, ["411PARC", "411MUNOZ"]),
        ({"sort": "name"}, ["411PARC", "411MUNOZ"]),
        ({"sort": "-slice1"}, ["411PARC", "411MUNOZ"]),
        ({"sort": "-last_reminder"}, ["411MUNOZ", "411PARC"]),
        ({"stopped": "true"}, ["411PARC"]),
        ({"level": "R1"}, ["411MUNOZ"]),
        ({"level": ["none", "R1"]}, ["411MUNOZ", "411PARC"]),
        ({"profile": "Export"}, ["411PARC"]),
        ({"category": "BTP"}, ["411MUNOZ"]),
        ({"payment_mode": "cheque"}, []),
        ({"q": "hotel  PARC"}, ["411PARC"]),
        ({"size": "1", "page": "2"}, ["411PARC"]),
        ({"size": "1", "page": "3"}, []),
        ({"balance": "creditor"}, []),
    ):
        table = await house.get(book.company, "/who-owes-what", book.heard, **query)
        assert [row["client_id"] for row in table["rows"]] == clients, query
    table = await house.get(book.company, "/who-owes-what", size=1)
    assert (table["clients"], table["overdue_clients"], table["stopped_clients"], table["pages"]) == (2, 2, 1, 2)
    assert table["totals"] == {
        "slices": ["7316.00", "0.00", "11732.52"],
        "overdue": "19048.52",
        "upcoming": "4410.03",
        "total": "23458.55",
    }
    other = await house.get(book.company, "/who-owes-what", slices="20,25,90")
    assert [part["key"] for part in other["slices"]] == [
        "over_90",
        "from_26_to_90",
        "from_21_to_25",
        "from_1_to_20",
    ]
    assert other["totals"]["slices"] == ["0.00", "7316.00", "8412.36", "3320.16"]


async def test_a_foolish_question_is_refused(house: House, book: Book) -> None:
    for path, query in (
        ("/who-owes-what", {"sort": "colour"}),
        ("/who-owes-what", {"slices": "60,30"}),
        ("/who-owes-what", {"size": "501"}),
        ("/home", {"as_of": "yesterday"}),
        ("/search", {"q": "a"}),
    ):
        answer = await house.ask(book.company, path, **query)
        assert answer.status_code == 422, query
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert (await house.ask(book.company, "/client", book.heard, client_id="nobody")).status_code == 404


async def test_names_are_fetched_found_without_accents_and_forgotten(
    house: House, book: Book, ledger_names: Names
) -> None:
    await named(house, book)
    for q in ("hotel", "HÔTEL parc", "411PARC", "411par"):
        found = await house.get(book.company, "/search", q=q)
        assert [client["name"] for client in found["clients"]] == ["Hôtel du Parc"], q
    found = await house.get(book.company, "/search", q="fac2")
    assert [piece["piece"] for piece in found["pieces"]] == ["FAC20114", "FAC20156", "FAC20233", "FAC20300"]
    await book.say(PersonErased(client_id="411PARC", version=2))
    page = await house.get(book.company, "/client", book.heard, client_id="411PARC")
    assert (page["name"], page["known"]) == ("411PARC", False)
    ledger_names.know(book.company, "411PARC", "Hôtel du Parc", version=1)
    await book.say(ClientChanged(client_id="411PARC", version=3))
    await asyncio.sleep(0.5)
    page = await house.get(book.company, "/client", book.heard, client_id="411PARC")
    assert page["name"] == "411PARC"  # an answer older than the erasure brings nothing back


async def test_a_search_finds_pieces_for_keys_that_read_entries(house: House, book: Book) -> None:
    """A piece comes with its amount."""
    await house.get(book.company, "/search", book.heard, q="fac201")
    found = []
    for scopes in ({"read:clients"}, {"read:clients", "read:entries"}):
        signing = read_key(house.stack.private_key_file)
        token = mint(signing, "system:crm", [book.company], "key", scopes=scopes, key_id="0192f0c1")
        headers = {"Authorization": f"Bearer {token}"}
        answer = await house.http.get(f"/companies/{book.company}/search", params={"q": "fac201"}, headers=headers)
        found.append([piece["piece"] for piece in answer.json()["pieces"]])
    assert found == [[], ["FAC20114", "FAC20156"]]


async def test_a_file_holds_the_names_that_people_gave_to_profiles(house: House, book: Book) -> None:
    renamed = ProfileNamed(profile="Standard", name="PME")
    await book.say(ProfilesChanged(profiles=(renamed,), default_profile="Standard"))
    page = await house.get(book.company, "/who-owes-what", book.heard)
    assert {row["profile"] for row in page["rows"]} >= {"Standard"}
    answer = await house.ask(book.company, "/who-owes-what", book.heard, format="csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert "PME" in {row["Profil"] for row in rows}
    assert "Standard" not in {row["Profil"] for row in rows}


async def test_receipts_are_what_was_credited_in_the_fiscal_year_the_latest_first(
    house: House, book: Book
) -> None:
    """Rule 16.2: by the day of entry, the first and the last day of the period included."""
    found = await house.get(book.company, "/receipts", book.heard)
    assert (found["since"], found["until"], found["amount"], found["count"]) == (
        "2026-01-01",
        str(DAY),
        "6100.32",
        2,
    )
    told = [(row["on"], row["piece"], row["nature"], row["level"], row["amount"]) for row in found["rows"]]
    assert told == [
        ("2026-11-12", "VIR11", "payment", None, "5460.00"),
        ("2026-11-10", "AVR00412", "payment", None, "640.32"),
    ]
    assert {(row["client_id"], row["payment_mode"]) for row in found["rows"]} == {("411MUNOZ", "transfer")}
    for since, until, count in (
        ("2026-11-09", "2026-11-09", 0),
        ("2026-11-10", "2026-11-10", 1),
        ("2026-11-10", "2026-11-11", 1),
        ("2026-11-11", "2026-11-12", 1),
        ("2026-11-13", "2026-11-30", 0),
    ):
        assert (await house.get(book.company, "/receipts", since=since, until=until))["count"] == count, since
    assert (await house.get(book.company, "/receipts", client_id="411PARC"))["rows"] == []
    assert (await house.get(book.company, "/receipts", client_id="411MUNOZ"))["count"] == 2


async def test_money_is_expected_by_week_on_the_day_it_was_moved_to_else_when_due(
    house: House, book: Book
) -> None:
    """Rules 16.8, 5.7: the Sunday before the week is behind, its Monday is in it, the Sunday after as well."""
    monday = DAY - timedelta(days=DAY.weekday())
    before = await house.get(book.company, "/forecast", book.heard, weeks=2)
    days = (monday - timedelta(days=1), monday, monday + timedelta(days=6), monday + timedelta(days=7))
    await book.sync(*(line(f"W{n}", "411PARC", "100.00", day) for n, day in enumerate(days)))
    after = await house.get(book.company, "/forecast", book.heard, weeks=2)
    counts = [week["count"] for week in after["weeks"]]
    assert [now - then["count"] for now, then in zip(counts, before["weeks"], strict=True)] == [1, 2, 1]
    assert [week["week_start"] for week in after["weeks"]] == [
        None, str(monday), str(monday + timedelta(days=7))
    ]  # fmt: skip
    grown = [
        Decimal(now[part]) - Decimal(then[part])
        for now, then in zip(after["weeks"], before["weeks"], strict=True)
        for part in ("overdue", "upcoming")
    ]
    assert grown == [100, 0, 100, 100, 0, 100], "the Monday has passed on the day of the view, the Sunday has not"

    await book.say(
        EntryRepositioned(client_id="411PARC", entry_id=entry_id("W0"), expected_on=monday + timedelta(9))
    )
    moved = await house.get(book.company, "/forecast", book.heard, weeks=2)
    assert [week["count"] for week in moved["weeks"]] == [counts[0] - 1, counts[1], counts[2] + 1]
    (card,) = [row for row in moved["weeks"][2]["rows"] if row["piece"] == "W0"]
    assert (card["moved"], card["days_late"], card["expected_on"]) == (True, 2, str(monday + timedelta(9)))
    assert sum(Decimal(week["overdue"]) + Decimal(week["upcoming"]) for week in moved["weeks"]) + Decimal(
        moved["later"]
    ) == Decimal(moved["amount"])

    listed = await house.get(
        book.company, "/expected", since=str(monday + timedelta(7)), until=str(monday + timedelta(13)), size=50
    )
    assert {"W0", "W3"} <= {row["piece"] for row in listed["rows"]}
    assert listed["count"] == moved["weeks"][2]["count"]


async def test_the_months_around_tell_what_came_and_what_should_have_come(house: House, book: Book) -> None:
    """Rule 16.9: payments by the month they were lettered in; what is behind counts in the current month."""
    found = await house.get(book.company, "/forecast", book.heard)
    months = {month["month_start"]: month for month in found["months"]}
    assert (min(months), max(months), len(months)) == ("2026-05-01", "2027-04-01", 12)
    assert months["2026-11-01"]["received"] == "5460.00"
    assert months["2026-10-01"] == {
        "month_start": "2026-10-01", "received": "0.00", "overdue": "0.00", "upcoming": "0.00"
    }  # fmt: skip
    home = await house.get(book.company, "/home")
    assert sum(Decimal(month["overdue"]) for month in months.values()) == Decimal(home["owed"]["overdue"])


async def test_due_items_and_promises_are_narrowed_by_what_their_clients_are(house: House, book: Book) -> None:
    """Rules 16.3, 10.7: a contested account contests its entries; one contested entry leaves the others."""
    await book.say(
        ClientChanged(client_id="411MUNOZ", version=2, has_email=True, salesperson="DURANT"),
        DisputeOpened(dispute_id=uuid4(), client_id="411PARC", reason="price"),
        DisputeOpened(dispute_id=uuid4(), client_id="411MUNOZ", entry_id=entry_id("FAC20114"), reason="quality"),
    )
    for query, pieces in (
        ({}, ["FAC20156", "FAC30001"]),
        ({"profile": "Export"}, ["FAC30001"]),
        ({"profile": ["Export", "Standard"]}, ["FAC20156", "FAC30001"]),
        ({"payment_mode": "transfer"}, ["FAC20156", "FAC30001"]),
        ({"payment_mode": "cheque"}, []),
        ({"salesperson": "DURANT"}, ["FAC20156"]),
        ({"salesperson": "none"}, ["FAC30001"]),
        ({"disputed": "true"}, ["FAC30001"]),
        ({"disputed": "false"}, ["FAC20156"]),
        ({"disputed": "true", "profile": "Standard", "medium": "phone"}, []),
    ):
        found = await house.get(book.company, "/due-items", book.heard, **query)
        assert sorted(row["piece"] for row in found["rows"]) == pieces, query
        assert found["count"] == len(pieces), query
    for salesperson, count in (("DURANT", 1), ("none", 0)):
        found = await house.get(book.company, "/promises", book.heard, salesperson=salesperson)
        assert found["count"] == count, salesperson


async def test_payers_are_scored_over_the_fiscal_year_the_slowest_first(house: House, book: Book) -> None:
    """Rules 17.1 to 17.3: Munoz settled 5460.00 31 days late; a payment of last year has no say."""
    await book.sync(
        line("FAC1", "411TARD", "300.00", date(2026, 8, 1), "A"),
        line("VIR1", "411TARD", "-300.00", date(2026, 10, 20), "A"),
        line("FAC2", "411JUSTE", "1000.00", date(2026, 8, 1), "A"),
        line("VIR2", "411JUSTE", "-1000.00", date(2026, 8, 1), "A"),
        line("FAC3", "411HIER", "700.00", date(2025, 10, 1), "A"),
        line("VIR3", "411HIER", "-700.00", date(2025, 12, 31), "A"),
    )
    found = await house.get(book.company, "/payers", book.heard)
    assert found["since"] == "2026-01-01"
    assert [(row["client_id"], row["score"], row["average_delay_days"]) for row in found["rows"]] == [
        ("411TARD", "E", 80),
        ("411MUNOZ", "D", 31),
        ("411JUSTE", "A", 0),
    ]
    assert [(one["score"], one["clients"], one["settled"]) for one in found["scores"]] == [
        ("A", 1, "1000.00"),
        ("B", 0, "0.00"),
        ("C", 0, "0.00"),
        ("D", 1, "5460.00"),
        ("E", 1, "300.00"),
    ]
    assert (found["count"], found["amount"], found["rows"][1]["overdue"]) == (3, "6760.00", "11732.52")
    assert found["average_delay_days"] == 29  # (300 × 80 + 5460 × 31) ÷ 6760
    assert found["receivables"] == (await house.get(book.company, "/home"))["owed"]["total"]
    sold = Decimal(found["invoiced"])
    assert found["dso_days"] == round(Decimal(found["receivables"]) * 365 / sold)
    assert found["count_back_days"] is not None
    narrowed = await house.get(book.company, "/payers", score=["D", "B"])
    assert [row["client_id"] for row in narrowed["rows"]] == ["411MUNOZ"]
    assert narrowed["scores"] == found["scores"]
    page = await house.get(book.company, "/client", client_id="411MUNOZ")
    assert (page["score"], page["average_delay_days"]) == ("D", 31)


async def test_objectives_stand_beside_the_months_for_who_sees_every_client(house: House, book: Book) -> None:
    """Rule 16.9: only the months shown, curves in their order."""
    months = tuple(MonthlyAmount(month=date(2026, month, 1), amount=Decimal(month * 1000)) for month in (4, 5, 11))
    curves = (CashObjective(title="Prudent"), CashObjective(title="Budget", months=months))
    await book.say(CashObjectivesChosen(curves=curves))
    found = await house.get(book.company, "/forecast", book.heard)
    assert found["objectives"] == [
        {
            "title": "Budget",
            "months": [
                {"month_start": "2026-05-01", "amount": "5000.00"},
                {"month_start": "2026-11-01", "amount": "11000.00"},
            ],
        }
    ]


async def test_lists_are_files_too(house: House, book: Book) -> None:
    answer = await house.ask(book.company, "/who-owes-what", book.heard, format="csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][9:13] == ["Plus de 60 j", "31 à 60 j", "1 à 30 j", "En retard"]
    assert rows[1][9:15] == ["0,00", "0,00", "11732,52", "11732,52", "4410,03", "16142,55"]
    for path in (
        "/who-owes-what",
        "/clients",
        "/activities",
        "/promises",
        "/receipts",
        "/due-items",
        "/expected",
        "/payers",
    ):
        answer = await house.ask(book.company, path, format="xlsx")
        assert answer.status_code == 200
        assert "xl/worksheets/sheet1.xml" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    due = await house.get(book.company, "/due-items", medium="phone")
    assert [one["piece"] for one in due["rows"]] == ["FAC20156"]
    options = await house.get(book.company, "/options")
    assert options["levels"] == ["R1", "R2"]
    assert options["profiles"] == ["Export", "Standard"]


async def test_a_company_never_sees_another(house: House, book: Book) -> None:
    other = f"{book.company[:20]}-b"
    for path in (
        "/home",
        "/who-owes-what",
        "/clients",
        "/activities",
        "/promises",
        "/receipts",
        "/due-items",
        "/expected",
        "/payers",
    ):
        answer = await house.http.get(f"/companies/{book.company}{path}", headers=house.token(other))
        assert answer.status_code == 404
        mine = await house.get(other, path)
        assert not mine.get("rows")
        assert mine.get("count", 0) == 0
    assert (await house.get(other, "/home"))["owed"]["total"] == "0.00"
    assert (await house.ask(other, "/client", client_id="411MUNOZ")).status_code == 404
    assert (await house.get(other, "/search", q="munoz"))["clients"] == []


async def test_alerts_tell_what_stands_in_the_way_of_reminders(house: House, book: Book) -> None:
    """Rule 15.5; an action is late the day after its last day: due since 7 days is not more than 7."""
    failing = action("411MUNOZ", "R1", "email", "10.00", "FAC20156")
    await book.say(ActionDue(action=failing))
    await book.say(
        EmailFailed(action_id=failing.action_id, client_id="411MUNOZ", message_id="f", reason="refused")
    )
    await book.say(ActionWithdrawn(action_id=failing.action_id, client_id="411MUNOZ", reason="failed"))
    eve = await house.get(book.company, "/alerts", book.heard, late_after=7)
    assert eve["counts"] == {"mail": 1, "reply": 0, "late_action": 0, "missing_contact": 1, "stopped_late": 1}
    late = await house.get(book.company, "/alerts", late_after=6, kind="late_action")
    assert late["counts"]["late_action"] == 2
    assert [(row["client_id"], row["days"]) for row in late["rows"]] == [("411MUNOZ", 7), ("411PARC", 7)]
    by_kind = {row["kind"]: row for row in eve["rows"]}
    assert by_kind["mail"]["detail"] == "refused"
    # Hôtel du Parc has no address known for its letter, and is stopped with 7 316 late
    assert (by_kind["missing_contact"]["client_id"], by_kind["missing_contact"]["medium"]) == ("411PARC", "letter")
    assert by_kind["stopped_late"]["amount"] == "7316.00"


async def test_alerts_are_those_of_the_company(house: House, book: Book) -> None:
    await house.get(book.company, "/alerts", book.heard)
    other = await house.get(f"{book.company}x", "/alerts")
    assert set(other["counts"].values()) == {0}
