"""given(history).when(day).then(...): the rules of reminding, spoken.

A world is one client under one policy and one scenario. Facts are applied to the pure state that the projections
mirror; a day is decided with ``when(day)`` and its actions can be carried out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from hashlib import md5
from uuid import NAMESPACE_OID, UUID, uuid5

from contracts import dunning, ledger, notify, sync
from contracts.dunning import PolicyChanged, ScenarioPublished, ScenarioStep
from contracts.event import Event
from services.dunning.domain import sayings
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.decision import decide
from services.dunning.domain.evolve import ClientBook, evolve
from services.dunning.domain.including import tick_back
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.verdicts import Decision, Due, Excluded, NoStep, NotDue, PlannedAction, Verdict

CLIENT = "C1"
COMPANY = "acme"


def day(text: str) -> date:
    return date.fromisoformat(text)


def step(
    name: str, delay: int, medium: str = "email", counted_from: str = "due_date", **options: object
) -> ScenarioStep:
    template = name if medium in {"email", "letter"} else None
    fields: dict[str, object] = {"template": template, **options}
    return ScenarioStep.model_validate(
        {"step": name, "medium": medium, "delay_days": delay, "counted_from": counted_from, **fields}
    )


def previous(name: str, delay: int, medium: str = "email", **options: object) -> ScenarioStep:
    return step(name, delay, medium, "previous_step", **options)


STANDARD = (
    step("notice", 8),
    step("R1", 8),
    previous("R2", 8, "phone"),
    previous("R3", 8, "phone"),
    previous("R4", 8, "letter"),
    previous("R5", 8, "letter"),
)


def scenario(
    *steps: ScenarioStep, without: Iterable[ScenarioStep] | None = None, **flags: bool
) -> ScenarioPublished:
    letters = [replace_medium(one) for one in steps] if without is None else list(without)
    return ScenarioPublished(
        profile="Standard", version=1, with_email=steps, without_email=tuple(letters), **flags
    )


def replace_medium(one: ScenarioStep) -> ScenarioStep:
    if one.medium != "email":
        return one
    return one.model_copy(update={"medium": "letter", "mode": "manual"})


def entry_id(name: str) -> str:
    return md5(name.encode()).hexdigest()


def _line(name: str, amount: object, due: str, kind: str, **options: object) -> sync.SyncedEntry:
    value = Decimal(str(amount))
    credit = kind in {"payment", "credit_note"}
    fields: dict[str, object] = {
        "entry_id": entry_id(name),
        "client_id": CLIENT,
        "account": "411",
        "kind": kind,
        "journal": "VE",
        "piece": name,
        "entry_date": due,
        "due_date": due,
        "debit": Decimal(0) if credit else value,
        "credit": value if credit else Decimal(0),
        "currency": "EUR",
        "book_amount": -value if credit else value,
    }
    return sync.SyncedEntry.model_validate(fields | options)


def invoice(name: str, amount: object, due: str, **options: object) -> Event:
    return _said(_line(name, amount, due, "invoice", **options))


def credit(name: str, amount: object, due: str, **options: object) -> Event:
    return _said(_line(name, amount, due, "credit_note", **options))


def _said(*lines: sync.SyncedEntry) -> sync.EntriesSynced:
    return sync.EntriesSynced(run_id=UUID(int=0), source="spec", entries=lines)


def client(email: bool = True, profile: str | None = None, payment_mode: str | None = None) -> Event:
    return ledger.ClientChanged(
        client_id=CLIENT, version=1, has_email=email, profile=profile, payment_mode=payment_mode
    )


def promise(name: str, on: str, key: str = "") -> Event:
    return ledger.PromiseRecorded(
        promise_id=uuid5(NAMESPACE_OID, f"{name}{on}{key}"),
        client_id=CLIENT,
        entry_id=entry_id(name),
        amount=Decimal(1),
        currency="EUR",
        promised_on=day(on),
    )


def promise_cancelled(name: str, on: str) -> Event:
    return ledger.PromiseCancelled(
        promise_id=uuid5(NAMESPACE_OID, f"{name}{on}"), client_id=CLIENT, entry_id=entry_id(name)
    )


def stopped(resumes_on: str | None = None) -> Event:
    return ledger.ClientStopped(client_id=CLIENT, resumes_on=day(resumes_on) if resumes_on else None)


def resumed() -> Event:
    return ledger.ClientResumed(client_id=CLIENT)


def entry_stopped(name: str, resumes_on: str | None = None) -> Event:
    return ledger.EntryStopped(
        client_id=CLIENT, entry_id=entry_id(name), resumes_on=day(resumes_on) if resumes_on else None
    )


def entry_resumed(name: str) -> Event:
    return ledger.EntryResumed(client_id=CLIENT, entry_id=entry_id(name))


def disputed(name: str | None = None) -> Event:
    """Of an entry, or of the whole account."""
    return ledger.DisputeOpened(
        dispute_id=uuid5(NAMESPACE_OID, f"dispute {name}"),
        client_id=CLIENT,
        entry_id=None if name is None else entry_id(name),
        reason="price",
    )


def dispute_closed(name: str | None = None) -> Event:
    return ledger.DisputeClosed(
        dispute_id=uuid5(NAMESPACE_OID, f"dispute {name}"),
        client_id=CLIENT,
        entry_id=None if name is None else entry_id(name),
    )


def promise_reopened(name: str, on: str) -> Event:
    """The payment that had kept it was taken back."""
    return ledger.PromiseReopened(**promise(name, on).model_dump())


def at_level(name: str, level: str, on: str, before: str | None = None) -> Event:
    """The entry was brought to this level on that day, before the story begins."""
    move = dunning.LevelMove(entry_id=entry_id(name), level_before=before, level_after=level)
    return dunning.LevelSet(client_id=CLIENT, reason="set", set_on=day(on), levels=(move,))


def chosen_next(name: str, step_name: str, on: str, reminded_on: str | None = None) -> Event:
    """A person chose the step that comes next for this entry (rule 5.6)."""
    number = int(step_name[1:]) - 1
    move = dunning.LevelMove(
        entry_id=entry_id(name),
        level_before=None,
        level_after=f"R{number}" if number else None,
        next_step=step_name,
        reminded_on=day(reminded_on) if reminded_on else None,
    )
    return dunning.LevelSet(client_id=CLIENT, reason="set_by_person", set_on=day(on), levels=(move,))


@dataclass
class World:
    published: ScenarioPublished | None
    policy: PolicyChanged
    book: ClientBook = field(default_factory=lambda: ClientBook(COMPANY, CLIENT, has_email=True))
    names: dict[str, str] = field(default_factory=dict)
    said: dict[UUID, dunning.Action] = field(default_factory=dict)
    read_daily: bool = True
    """Accounting is read every day, unless ``read_last`` says otherwise (rule 2.6)."""

    @property
    def scenario(self) -> Scenario | None:
        return None if self.published is None else load_scenario(self.published, CompanyDays(self.policy.calendar))

    def on(self, text: str, *facts: Event) -> "World":
        """These facts became known on that day."""
        for fact in facts:
            if isinstance(fact, sync.EntriesSynced):
                self.names |= {line.entry_id: line.piece for line in fact.entries}
            self.book = evolve(self.book, fact, day(text))
        return self

    def lettered(self, text: str, *names: str, code: str | None = "A") -> "World":
        lines = [self.book.lines[entry_id(name)].model_copy(update={"lettering": code}) for name in names]
        return self.on(text, _said(*lines))

    def changed(self, text: str, name: str, **fields: object) -> "World":
        line = self.book.lines[entry_id(name)].model_dump() | fields
        return self.on(text, _said(sync.SyncedEntry.model_validate(line)))

    def under(self, *steps: ScenarioStep, **flags: bool) -> "World":
        self.published = scenario(*steps, **flags)
        return self

    def with_policy(self, **options: object) -> "World":
        self.policy = PolicyChanged.model_validate(self.policy.model_dump() | options)
        return self

    def read_last(self, text: str | None) -> "World":
        """The last synchronisation that succeeded was on that day, or never."""
        self.read_daily = False
        self.book = replace(self.book, synced_on=None if text is None else day(text))
        return self

    def with_own_policy(self, text: str, **options: object) -> "World":
        fields: dict[str, object] = {"client_id": CLIENT, **options}
        return self.on(text, dunning.ClientPolicyChanged.model_validate(fields))

    def chosen(self, text: str, name: str, automatic: bool | None) -> "World":
        """The entry is opted in or out of what leaves by itself (rule 22.13)."""
        choice = dunning.AutomaticChoice(entry_id=entry_id(name), automatic=automatic)
        return self.on(text, dunning.AutomaticChosen(client_id=CLIENT, entries=(choice,)))

    def called(self, text: str) -> "World":
        """A person called the client of their own accord."""
        made = notify.CallLogged(action_id=uuid5(NAMESPACE_OID, text), client_id=CLIENT, outcome="reached")
        return self.on(text, made)

    def when(self, text: str, since: str | None = None) -> "Day":
        """Decide this day and remember what was said. ``since`` is the first day that no round has covered."""
        missed = None if since is None else day(since)
        if self.read_daily:
            self.book = replace(self.book, synced_on=day(text))
        decision = decide(self.book.state(), load_policy(self.policy), self.scenario, day(text), missed)
        for planned in decision.actions:
            event = sayings.opening(CLIENT, decision, planned)
            assert isinstance(event, dunning.ActionProposed | dunning.ActionDue)
            self.said[planned.action_id] = event.action
            self.book = evolve(self.book, event, day(text))
        for withdrawal in decision.withdrawals:
            self.book = evolve(self.book, sayings.withdrawn(CLIENT, withdrawal), day(text))
        if decision.moves:
            self.book = evolve(self.book, sayings.advanced(CLIENT, decision.moves, day(text)), day(text))
        ends = sayings.newly_exhausted(CLIENT, decision.verdicts, self.book.exhausted())
        for end in ends:
            self.book = evolve(self.book, end, day(text))
        return Day(self, decision, day(text), len(ends))

    def confirm_all(self, text: str) -> "World":
        for action_id, opened in self.book.actions.items():
            if not opened.confirmed:
                self.book = evolve(self.book, dunning.ActionDue(action=self.said[action_id]), day(text))
        return self

    def carry_out(self, text: str) -> "World":
        for action_id in list(self.book.actions):
            self.carry_out_one(text, action_id)
        return self

    def carry_out_one(self, text: str, action_id: UUID) -> "World":
        levels = {key: None if not stage.level else f"R{stage.level}" for key, stage in self.book.stages.items()}
        self.book = evolve(self.book, sayings.done(self.said[action_id], levels, day(text)), day(text))
        return self

    def ticked_back(self, text: str, *names: str) -> PlannedAction:
        """A person reminds these excluded entries all the same (rule 8.15)."""
        ids = [entry_id(name) for name in names]
        policy, on = load_policy(self.policy), day(text)
        decision, (planned,) = tick_back(self.book.state(), policy, self.scenario, on, ids)
        event = sayings.opening(CLIENT, decision, planned)
        assert isinstance(event, dunning.ActionProposed)
        self.said[planned.action_id] = event.action
        self.book = evolve(self.book, event, on)
        return planned

    def level(self, name: str) -> str | None:
        stage = self.book.stages.get(entry_id(name))
        return f"R{stage.level}" if stage is not None and stage.level else None


@dataclass
class Day:
    world: World
    decision: Decision
    date: date
    ends: int = 0
    """How many ``DunningExhausted`` were said."""

    def verdict(self, name: str) -> Verdict:
        return self.decision.verdicts[entry_id(name)]

    def messages(self) -> dict[str, tuple[Decimal, list[str]]]:
        """New actions: step -> (net amount, entries by name)."""
        return {
            action.step: (
                Decimal(action.net_amount) / 10000,
                sorted(self.world.names[entry.entry_id] for entry in action.entries),
            )
            for action in self.decision.actions
        }

    def says(self, **messages: tuple[object, list[str]]) -> "Day":
        """Exactly these new messages, by step: ``R1=(1100, ["A", "B"])``."""
        expected = {step: (Decimal(str(net)), sorted(names)) for step, (net, names) in messages.items()}
        assert self.messages() == expected
        assert len(self.decision.actions) == len(expected), "two messages of one step"
        return self

    def silent(self) -> "Day":
        return self.says()

    def due(self, *names: str) -> "Day":
        for name in names:
            assert isinstance(self.verdict(name), Due), (name, self.verdict(name))
        return self

    def waits(self, name: str, step: str, until: str) -> "Day":
        assert self.verdict(name) == NotDue(step, day(until))
        return self

    def excluded(self, name: str, *reasons: str, step: str | None = None, until: str | None = None) -> "Day":
        verdict = self.verdict(name)
        assert isinstance(verdict, Excluded), verdict
        assert verdict.until == (day(until) if until else None)
        assert verdict.reasons == tuple(sorted(reasons))
        assert step in (None, verdict.step)
        return self

    def no_step(self, name: str, reason: str) -> "Day":
        assert self.verdict(name) == NoStep(reason)
        return self

    def withdraws(self, *reasons: str) -> "Day":
        assert sorted(one.reason for one in self.decision.withdrawals) == sorted(reasons)
        return self

    def carried_out(self) -> World:
        return self.world.carry_out(self.date.isoformat())

    def confirmed(self) -> World:
        return self.world.confirm_all(self.date.isoformat())


def given(*facts: Event, on: str = "2025-01-01", steps: Iterable[ScenarioStep] = STANDARD) -> World:
    """A client with an e-mail address, the standard scenario and the delivered policy, then these facts."""
    world = World(scenario(*steps), PolicyChanged(version=1))
    return world.on(on, *facts)


def given_without_scenario(*facts: Event) -> World:
    return World(None, PolicyChanged(version=1)).on("2025-01-01", *facts)
