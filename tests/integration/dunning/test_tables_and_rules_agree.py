"""The tables hold what the pure rules hold, and looking only where something changed equals looking everywhere."""

import json
import random
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from chassis import new_rows
from chassis.database import transaction
from chassis.eventlog import Cause, Said
from contracts import dunning, ledger, notify, sync
from contracts.event import Event
from services.dunning.domain.decision import decide
from services.dunning.domain.evolve import ClientBook, evolve
from services.dunning.domain.state import ClientState
from services.dunning.rulebook import rulebook
from services.dunning.states import load
from services.dunning.verdicts_kept import as_text
from tests.integration.dunning.house import House, client_changed, entry_id, line, scenario, synced

CLIENTS = [f"K{number}" for number in range(12)]
D0 = date(2025, 3, 1)
MOST_FACTS = 10


class History:
    """Twenty days of a company, told by a seeded die."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.die = random.Random(seed)
        self.lines: dict[str, sync.SyncedEntry] = {}
        self.promises: list[tuple[UUID, str, str]] = []
        self.disputes: list[tuple[UUID, str]] = []
        self.heard: list[tuple[date, Event]] = []
        self.paid = 0

    async def hear(self, on: date, *events: Event) -> None:
        self.heard.extend((on, event) for event in events)
        await self.house.hear(on.isoformat(), *events)

    async def ask(self, on: date, path: str, body: dict[str, object]) -> None:
        async with self.house.http(**{"Relance-As-Of": on.isoformat()}) as http:
            assert (await http.put(path, json=body)).status_code == 200

    async def books(self, on: date, *lines: sync.SyncedEntry) -> None:
        self.lines |= {one.piece: one for one in lines}
        await self.hear(on, sync.EntriesSynced(run_id=UUID(int=1), source="die", entries=lines))

    async def begin(self) -> None:
        await self.hear(D0, *(client_changed(one, email=self.die.random() < 0.7) for one in CLIENTS))
        made = []
        for client in CLIENTS:
            for number in range(self.die.randint(1, 6)):
                amount = self.die.randint(5, 400) * self.die.choice([1, 1, 1, 1, -1])
                due = D0 + timedelta(days=self.die.randint(-40, 25))
                made.append(line(client, f"{client}.{number}", amount, due.isoformat()))
        await self.books(D0, *made)

    async def something(self, on: date) -> None:
        client = self.die.choice(CLIENTS)
        one = self.die.choice(sorted(self.lines))
        state = self.lines[one]
        kind = self.die.randint(0, 16)
        if kind > MOST_FACTS:
            await self._of_policy(kind, on, client, state)
            return
        match kind:
            case 0:
                resumes_on = self.die.choice([None, on + timedelta(days=self.die.randint(1, 6))])
                await self.hear(on, ledger.ClientStopped(client_id=client, resumes_on=resumes_on))
            case 8:
                resumes_on = on + timedelta(days=self.die.randint(1, 6))
                stopped = ledger.EntryStopped(
                    client_id=state.client_id, entry_id=state.entry_id, resumes_on=resumes_on
                )
                await self.hear(on, stopped)
            case 9:
                dispute = UUID(int=self.die.getrandbits(128))
                of = self.die.choice([None, state.entry_id])
                self.disputes.append((dispute, state.client_id))
                await self.hear(
                    on,
                    ledger.DisputeOpened(
                        dispute_id=dispute, client_id=state.client_id, entry_id=of, reason="price"
                    ),
                )
            case 10 if self.disputes:
                dispute, owner = self.disputes.pop()
                await self.hear(on, ledger.DisputeClosed(dispute_id=dispute, client_id=owner))
            case 1:
                await self.hear(on, ledger.ClientResumed(client_id=client))
            case 2:
                await self.hear(on, ledger.EntryStopped(client_id=state.client_id, entry_id=state.entry_id))
            case 3:
                code = None if state.lettering else "A"
                await self.books(on, state.model_copy(update={"lettering": code}))
            case 4:
                promise = UUID(int=self.die.getrandbits(128))
                self.promises.append((promise, state.client_id, state.entry_id))
                promised_on = on + timedelta(days=self.die.randint(-2, 9))
                recorded = ledger.PromiseRecorded(
                    promise_id=promise,
                    client_id=state.client_id,
                    entry_id=state.entry_id,
                    amount=Decimal(1),
                    currency="EUR",
                    promised_on=promised_on,
                )
                await self.hear(on, recorded)
            case 5 if self.promises:
                promise, owner, entry = self.promises.pop()
                await self.hear(on, ledger.PromiseCancelled(promise_id=promise, client_id=owner, entry_id=entry))
            case 6:
                later = state.due_date + timedelta(days=self.die.randint(-5, 20))
                await self.books(on, state.model_copy(update={"due_date": later}))
            case _:
                await self.hear(on, client_changed(client, email=self.die.random() < 0.5))

    async def choose_a_level(self, on: date) -> None:
        """A person chooses what comes next for one line; settled ones are refused."""
        one = self.lines[self.die.choice(sorted(self.lines))]
        step = f"R{self.die.randint(1, 5)}"
        wanted = {"client_id": one.client_id, "entry_id": one.entry_id, "next_step": step}
        async with self.house.http() as http:
            answer = await http.post("/levels", json={"levels": [wanted], "as_of": on.isoformat()})
        assert answer.status_code == 200, answer.text

    async def _of_policy(self, kind: int, on: date, client: str, state: sync.SyncedEntry) -> None:
        match kind:
            case 11:
                own = {
                    "client_id": client,
                    "never": self.die.random() < 0.1,
                    "tolerance_days": self.die.choice([None, 0, 6]),
                    "tolerance_amount": self.die.choice([None, "90"]),
                }
                await self.ask(on, "/client-policy", own)
            case 12:
                choice = {
                    "automatic": self.die.choice([True, False, None]),
                    "entries": [{"client_id": state.client_id, "entry_id": state.entry_id}],
                }
                await self.ask(on, "/automatic", choice)
            case 13:
                action = UUID(int=self.die.getrandbits(128))
                called = notify.CallLogged(action_id=action, client_id=client, outcome="reached")
                await self.hear(on, called)
            case 14:
                await self.hear(on, synced())
            case _:
                await self.somebody_pays(on, client)

    async def somebody_pays(self, on: date, client: str) -> None:
        """An open invoice, a payment of some days ago, both lettered, and ledger announces it."""
        unpaid = [one for one in self.lines.values() if one.client_id == client and one.book_amount > 0]
        unpaid = [one for one in unpaid if one.lettering is None]
        if not unpaid:
            return
        self.paid += 1
        of, code = self.die.choice(unpaid), f"P{self.paid}"
        paid_on = on - timedelta(days=self.die.randint(0, 8))
        money = line(client, f"{client}.{code}", -of.book_amount, paid_on.isoformat(), lettering=code)
        await self.books(on, of.model_copy(update={"lettering": code}), money)
        announced = ledger.PaymentLettered(
            client_id=client,
            account="411",
            lettering=code,
            payments=(money.entry_id,),
            settled=(of.entry_id,),
            paid_on=paid_on,
        )
        await self.hear(on, announced)

    async def carry_some_out(self, on: date) -> None:
        for row in await self.house.proposals():
            if self.die.random() < 0.4:
                called = notify.CallLogged(
                    action_id=row["action_id"], client_id=row["client_id"], outcome="reached"
                )
                await self.house.hear(on.isoformat(), called)


async def _states(house: House) -> dict[str, ClientState]:
    async with transaction(house.process.engine) as tx:
        return {client: known.state for client, known in (await load(tx, house.company, CLIENTS)).items()}


async def _assert_looking_everywhere_changes_nothing(house: House, on: date) -> None:
    async with transaction(house.process.engine) as tx:
        rules = await rulebook(tx, house.company)
        known = await load(tx, house.company, CLIENTS)
    for client, one in known.items():
        full = decide(one.state, rules.policy, rules.scenario_of(one.state), on)
        assert (full.actions, full.moves, full.withdrawals) == ([], [], []), (on, client)
        assert _by_entry(as_text(full.verdicts)) == _by_entry(one.verdicts), (on, client)


def _by_entry(verdicts: str) -> dict[str, object]:
    return {entry: verdict for verdict, entries, *_ in json.loads(verdicts) for entry in entries}


async def _books(house: House, history: History) -> dict[str, ClientBook]:
    """Every client folded from what was heard and said, without any table of dunning's."""
    books = {client: ClientBook(house.company, client) for client in CLIENTS}
    own = [
        (row["as_of"], getattr(dunning, row["type"]).model_validate_json(json.dumps(row["body"])))
        for row in await house.said()
        if row["client_id"] is not None
    ]
    for on, event in [*history.heard, *own]:
        named = {getattr(event, "client_id", None), getattr(getattr(event, "action", None), "client_id", None)}
        of_all = isinstance(event, sync.EntriesSynced | sync.SyncCompleted)
        for client in CLIENTS if of_all else named - {None}:
            books[client] = evolve(books[client], event, on)
    return books


def _comparable(state: ClientState) -> ClientState:
    """Without the order of rows, and with steps never entered left out."""
    return state._replace(
        entries=tuple(sorted(one._replace(entered=dict(one.entered)) for one in state.entries)),
        paid=tuple(sorted(state.paid)),
        open_actions=tuple(sorted(one._replace(entries=tuple(sorted(one.entries))) for one in state.open_actions)),
    )


EVERY_DAY: dict[str, object] = {}
WORKDAYS = {"weekdays": [1, 2, 3, 4, 5], "skip_holidays": True, "not_before": "08:00"}
TWICE_A_MONTH = {"weekdays": [1, 2, 3, 4, 5], "month_days": [5, 14]}
"""March 2025 has a Saturday first; the fourteenth is a Friday."""


THANKS: dict[str, object] = {
    "step": "thanks",
    "delay_days": 2,
    "counted_from": "payment_date",
    "template": "thanks",
}


EVERY_LINE: dict[str, object] = {
    "upcoming_credits_excluded": True,
    "tolerance_amount": "30",
}
"""Rules that look at all lines of a client, asleep or not."""
AWAKE_ALONE: dict[str, object] = {}
"""Rules by which lines may sleep while others of their client are looked at."""


async def _assert_much_was_said(house: House, calendar: dict[str, object], rules: dict[str, object]) -> None:
    actions = [row["body"]["action"] for row in await house.said("ActionProposed", "ActionDue")]
    assert {action["kind"] for action in actions} == {"notice", "reminder", "thanks"}
    left_by_themselves = {row["as_of"].isoweekday() for row in await house.said("ActionDue")}
    assert left_by_themselves
    if calendar:
        assert left_by_themselves <= {1, 2, 3, 4, 5}
        return
    assert len(await house.said("ActionDone")) > 8
    assert len(await house.said("ActionWithdrawn")) > 1
    reasons = {
        reason
        for said in await house.said("ActionExcluded")
        for one in said["body"]["entries"]
        for reason in one["reasons"]
    }
    assert reasons >= {"contacted_recently", "stale_data", "within_tolerance_days"}
    assert "within_tolerance_amount" in reasons or not rules
    assert len([one for one in await house.said("ActionDue") if one["body"]["action"]["medium"] == "email"]) > 2


@pytest.mark.parametrize(
    ("seed", "calendar", "few", "rules"),
    [
        (7, EVERY_DAY, 0, EVERY_LINE),
        (11, WORKDAYS, 50, EVERY_LINE),
        (5, TWICE_A_MONTH, 0, EVERY_LINE),
        (7, EVERY_DAY, 50, AWAKE_ALONE),
        (8, EVERY_DAY, 0, AWAKE_ALONE),
        (11, WORKDAYS, 0, AWAKE_ALONE),
    ],
)
async def test_twenty_days_of_chance(  # noqa: PLR0917 - what the days differ by
    house: House, monkeypatch, seed: int, calendar: dict[str, object], few: int, rules: dict[str, object]
):
    """Incremental equals full every day; tables equal the fold of all events at the end, whether rows are copied
    or projected."""
    monkeypatch.setattr(new_rows, "FEW_ROWS", few)
    async with house.http(**{"Relance-As-Of": (D0 - timedelta(days=5)).isoformat()}) as http:
        policy = {
            "promises_exclude": True,
            "disputes_exclude": True,
            "minimum_per_entry": "20",
            "maximum_per_reminder": "700",
            "contact_gap_days": 3,
            "tolerance_days": 2,
            "automatic_from": "2025-02-10",
            "calendar": calendar,
            **rules,
        }
        assert (await http.put("/policy", json=policy)).status_code == 200
        body = scenario(
            {"step": "notice", "medium": "email", "delay_days": 6, "template": "notice", "mode": "automatic"},
            {"step": "R1", "medium": "phone", "delay_days": 4},
            {
                "step": "R2",
                "medium": "email",
                "delay_days": 5,
                "counted_from": "previous_step",
                "template": "R2",
                "mode": "automatic",
            },
            {"step": "R3", "medium": "phone", "delay_days": 3, "counted_from": "previous_step"},
            THANKS | {"medium": "email", "mode": "automatic", "calendar": {"month_days": []}},
            without=[
                {"step": "R1", "medium": "phone", "delay_days": 2},
                {"step": "R2", "medium": "phone", "delay_days": 4, "counted_from": "previous_step"},
                THANKS | {"medium": "letter"},
            ],
        )
        assert (await http.put("/scenarios", json=body)).status_code == 200
    history = History(house, seed)
    await history.begin()
    for number in range(20):
        on = D0 + timedelta(days=number)
        for _ in range(history.die.randint(0, 9)):
            await history.something(on)
        if number % 4 != 0:
            await history.hear(on, synced())
        await house.round(on.isoformat())
        if number % 3 == 0:
            await history.choose_a_level(on)
        await _assert_looking_everywhere_changes_nothing(house, on)
        await history.carry_some_out(on)
    await _assert_much_was_said(house, calendar, rules)
    books = await _books(house, history)
    for client, state in (await _states(house)).items():
        # lettered alone, a code is in error: the fold sees it, dunning hears it from ledger
        balanced = tuple(one for one in books[client].state().entries if not one.lettering_error)
        thankable = tuple(one for one in books[client].state().paid if one.paid_on > D0 - timedelta(days=5))
        expected = books[client].state()._replace(entries=balanced, paid=thankable)
        assert _comparable(state) == _comparable(expected), client


async def test_a_lettering_error_is_heard_from_ledger(house: House):
    """Rule 2.8."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10", lettering="X"))
    found = {"client_id": "A", "account": "411", "lettering": "X"}
    await house.hear("2025-03-01", ledger.LetteringErrorFound(**found, difference=Decimal(100)))
    await house.round("2025-03-18")
    assert (await house.verdicts())["A1"] == ("excluded", "R1", None, ("lettering_error",))
    await house.hear("2025-03-19", ledger.LetteringErrorCleared(**found))
    await house.round("2025-03-19")
    assert await house.verdicts() == {}
    assert entry_id("A1") in json.dumps((await house.said("ActionExcluded"))[1]["body"])


async def test_the_day_of_reopening_does_not_depend_on_how_events_are_batched(house: House):
    """Lettered and un-lettered in one batch, in two, and in a rebuild: the same row."""
    open_line = line("A", "A1", 100, "2025-03-10")
    lettered = open_line.model_copy(update={"lettering": "X"})
    said = [sync.EntriesSynced(run_id=UUID(int=1), source="t", entries=(one,)) for one in (lettered, open_line)]
    await house.hear("2025-03-01", said[1])
    await house.hear("2025-03-05", *said)
    together = await house.rows("select reopened_on from entry where company = :company")
    await house.hear("2025-03-07", said[0])
    await house.hear("2025-03-09", said[1])
    apart = await house.rows("select reopened_on from entry where company = :company")
    assert (together, apart) == ([{"reopened_on": date(2025, 3, 5)}], [{"reopened_on": date(2025, 3, 9)}])


async def test_a_renumbered_client_keeps_the_levels_of_its_lines(house: House):
    """Rule 5.9: the level and its day are those reached under the old code; the next step follows from them."""
    await house.hear("2025-03-01", client_changed("OLD"), client_changed("NEW"))
    await house.books("2025-03-01", line("OLD", "F1", 100, "2025-03-10"), line("OLD", "F2", 50, "2025-03-10"))
    moves = [
        dunning.LevelMove(entry_id=entry_id(name), level_before=None, level_after="R1") for name in ("F1", "F2")
    ]
    reached = dunning.LevelSet(client_id="OLD", reason="set", set_on=date(2025, 3, 20), levels=tuple(moves))
    async with transaction(house.process.engine) as tx:
        said = [Said(reached, "OLD")]
        await house.process.say(tx)(house.company, said, as_of=date(2025, 3, 20), cause=Cause.new("user:test"))
        noticed = dunning.NoticedEntry(entry_id=entry_id("F1"), noticed_on=date(2025, 3, 4))
        told = dunning.LevelSet(
            client_id="OLD", reason="merged", set_on=date(2025, 3, 20), levels=(), noticed=(noticed,)
        )
        await house.process.say(tx)(
            house.company, [Said(told, "OLD")], as_of=date(2025, 3, 20), cause=Cause.new("user:test")
        )
    gone = [
        line("OLD", name, amount, "2025-03-10").model_copy(update={"removed": True})
        for name, amount in (("F1", 100), ("F2", 50))
    ]
    renumbered = line("NEW", "F1", 100, "2025-03-10").model_copy(update={"entry_id": entry_id("F1 of NEW")})
    await house.books("2025-03-22", *gone, renumbered)
    moved = ledger.MergedEntry(entry_id=entry_id("F1"), into_entry_id=entry_id("F1 of NEW"))
    merged = ledger.ClientMerged(client_id="OLD", into="NEW", entries=(moved,))
    await house.hear("2025-03-23", merged)
    await house.hear("2025-03-24", merged)
    carried, notice = [row for row in await house.said("LevelSet") if row["client_id"] == "NEW"]
    assert (carried["body"]["reason"], carried["body"]["set_on"]) == ("merged", "2025-03-20")
    told_of = {"entry_id": entry_id("F1 of NEW"), "noticed_on": "2025-03-04"}
    assert (notice["body"]["levels"], notice["body"]["noticed"]) == ([], [told_of])
    (level,) = await house.rows(
        "select level, reminded_on, noticed_on from entry_level where company = :company and client_id = 'NEW'"
    )
    assert level == {"level": 1, "reminded_on": date(2025, 3, 20), "noticed_on": date(2025, 3, 4)}
    await house.round("2025-03-27")
    assert (await house.verdicts())["F1"][:3] == ("not_due", "R2", date(2025, 3, 28))
