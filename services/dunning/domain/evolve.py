"""Facts to state, pure: the same account of a client that the projections keep in tables.

Stories and specs live on it; an integration test holds the tables against it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from contracts import dunning, ledger, notify, sync
from contracts.event import Event
from contracts.terms import is_open, lettering_difference
from services.dunning.domain.amounts import ten_thousandths
from services.dunning.domain.scenario import NOTICE, THANKS, level_number
from services.dunning.domain.state import (
    ClientState,
    Contact,
    EntryState,
    HeldEntry,
    OpenAction,
    PaidGroup,
    PaidLine,
)

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Stage:
    """How far an entry has come; it stays when the entry is lettered (rule 5.8)."""

    level: int = 0
    reminded_on: date | None = None
    noticed_on: date | None = None
    next_step: str | None = None
    """The one that a person chose to come next (rules 5.5, 5.6)."""
    automatic: bool | None = None
    exhausted: bool = False


@dataclass(frozen=True)
class ClientBook:
    """Everything dunning has heard and said about one client.

    ``errors`` are the lettering errors that ledger found, by account and code; ``None`` where nobody listens to
    ledger, as in stories: then they are seen in the lines themselves (rule 2.8).
    """

    company: str
    client_id: str
    profile: str | None = None
    assigned_profile: str | None = None
    has_email: bool = False
    stopped: bool = False
    payment_mode: str | None = None
    lines: Mapping[str, sync.SyncedEntry] = field(default_factory=dict)
    reopened_on: Mapping[str, date] = field(default_factory=dict)
    stages: Mapping[str, Stage] = field(default_factory=dict)
    resumes_on: date | None = None
    stopped_entries: Mapping[str, date | None] = field(default_factory=dict)
    disputes: Mapping[UUID, str | None] = field(default_factory=dict)
    paid_online: Mapping[tuple[UUID, str], date] = field(default_factory=dict)
    """By payment and entry, when it was paid online; without what went back."""
    promises: Mapping[UUID, tuple[str, date]] = field(default_factory=dict)
    actions: Mapping[UUID, OpenAction] = field(default_factory=dict)
    entered: Mapping[tuple[str, str], int] = field(default_factory=dict)
    own: dunning.ClientPolicyChanged | None = None
    opened_on: Mapping[UUID, date] = field(default_factory=dict)
    contacted_on: Mapping[UUID, date] = field(default_factory=dict)
    synced_on: date | None = None
    paid: tuple[ledger.LetteredGroup, ...] = ()
    thanked: frozenset[str] = frozenset()
    thanked_by_hand: Mapping[str, date] = field(default_factory=dict)
    """Entries that a person thanked for, and when: their payments up to that day are thanked (rule 12.2)."""
    taken_over: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)
    """Contacts made under codes that became this one (rule 22.24)."""
    errors: frozenset[tuple[str, str]] | None = None

    def state(self) -> ClientState:
        """What a decision looks at: the open entries, and why some are open although lettered (rule 2.8)."""
        mislettered = self._mislettered()
        entries = [
            self._entry_state(line, line.lettering is not None)
            for line in self.lines.values()
            if not line.removed
            and is_open(line.lettering, mislettered.get((line.account, line.lettering), Decimal(0)))
        ]
        own = self.own or dunning.ClientPolicyChanged(client_id=self.client_id)
        tolerated = own.tolerance_amount
        return ClientState(
            self.company,
            self.client_id,
            own.profile or self.assigned_profile or self.profile,
            self.has_email,
            self.stopped,
            self.payment_mode,
            tuple(entries),
            tuple(self.actions.values()),
            self.resumes_on,
            None in self.disputes.values(),
            own.never,
            own.tolerance_days,
            None if tolerated is None else ten_thousandths(tolerated),
            self._contacts(),
            self.synced_on,
            tuple(self._paid(group) for group in self.paid if not self._is_thanked(group)),
        )

    def _is_thanked(self, group: ledger.LetteredGroup) -> bool:
        by_hand = (self.thanked_by_hand.get(one, date.min) for one in (*group.payments, *group.settled))
        return not self.thanked.isdisjoint(group.payments) or any(on >= group.paid_on for on in by_hand)

    def _paid(self, group: ledger.LetteredGroup) -> PaidGroup:
        known = [self.lines.get(entry_id) for entry_id in (*group.payments, *group.settled)]
        currency = next((line.currency for line in known if line is not None), None)
        return PaidGroup(
            group.paid_on,
            all(line is not None and line.lettering is not None and not line.removed for line in known),
            tuple(
                PaidLine(
                    line.entry_id,
                    line.currency,
                    ten_thousandths(line.debit - line.credit),
                    ten_thousandths(line.book_amount),
                    line.due_date,
                    self.stages.get(line.entry_id, Stage()).level,
                    self.entered.get((line.entry_id, THANKS), 0),
                )
                for line in known
                if line is not None and line.currency == currency
            ),
        )

    def exhausted(self) -> frozenset[str]:
        """The entries whose end was said (``DunningExhausted``) and which have not left it since."""
        return frozenset(entry_id for entry_id, stage in self.stages.items() if stage.exhausted)

    def _contacts(self) -> tuple[Contact, ...]:
        """The last day of each round's contacts, latest first; two tell all that a decision asks (rule 22.7)."""
        last: dict[date | None, date] = {}
        for action_id, on in self.contacted_on.items():
            round_on = self.opened_on.get(action_id)
            last[round_on] = max(on, last.get(round_on, on))
        for contact in (one for contacts in self.taken_over.values() for one in contacts):
            last[contact.round_on] = max(contact.on, last.get(contact.round_on, contact.on))
        found = sorted(last.items(), key=lambda one: (one[1], one[0] or date.min), reverse=True)
        return tuple(Contact(on, round_on) for round_on, on in found[:2])

    def _mislettered(self) -> Mapping[tuple[str, str | None], Decimal]:
        if self.errors is not None:
            return {found: Decimal(1) for found in self.errors}
        groups: dict[tuple[str, str | None], list[Decimal]] = {}
        for line in self.lines.values():
            if line.lettering is not None and not line.removed:
                groups.setdefault((line.account, line.lettering), []).append(line.book_amount)
        return {group: lettering_difference(amounts) for group, amounts in groups.items()}

    def _entry_state(self, line: sync.SyncedEntry, lettering_error: bool) -> EntryState:
        stage = self.stages.get(line.entry_id, Stage())
        promised = [on for entry_id, on in self.promises.values() if entry_id == line.entry_id]
        paid_online = [on for (_, entry_id), on in self.paid_online.items() if entry_id == line.entry_id]
        return EntryState(
            entry_id=line.entry_id,
            currency=line.currency,
            amount=ten_thousandths(line.debit - line.credit),
            book_amount=ten_thousandths(line.book_amount),
            due_date=line.due_date,
            counted_on=line.invoice_date or line.entry_date,
            payment_mode=line.payment_mode,
            level=stage.level,
            reminded_on=stage.reminded_on,
            noticed_on=stage.noticed_on,
            stopped=line.entry_id in self.stopped_entries,
            lettering_error=lettering_error,
            reopened_on=self.reopened_on.get(line.entry_id),
            first_promise_on=min(promised, default=None),
            last_promise_on=max(promised, default=None),
            resumes_on=self.stopped_entries.get(line.entry_id),
            disputed=line.entry_id in self.disputes.values(),
            forced=stage.next_step is not None,
            automatic=stage.automatic,
            paid_online_on=max(paid_online, default=None),
            entered={step: times for (entry, step), times in self.entered.items() if entry == line.entry_id},
        )


def evolve(book: ClientBook, event: Event, on: date) -> ClientBook:  # noqa: PLR0911, PLR0912 - a case per event
    """The book after one event of business date ``on``. Bulk events may speak of other clients too."""
    match event:
        case sync.SyncCompleted():
            return replace(book, synced_on=max(on, book.synced_on or on))
        case sync.EntriesSynced():
            lines = (line for line in event.entries if line.client_id == book.client_id)
            return _synced(book, lines, on)
        case ledger.ClientChanged():
            return replace(book, profile=event.profile, has_email=event.has_email, payment_mode=event.payment_mode)
        case ledger.ClientsChanged():
            told = next((one for one in event.clients if one.client_id == book.client_id), None)
            if told is None:
                return book
            return replace(book, profile=told.profile, has_email=told.has_email, payment_mode=told.payment_mode)
        case ledger.LetteringErrorFound() if book.errors is not None:
            return replace(book, errors=book.errors | {(event.account, event.lettering)})
        case ledger.LetteringErrorCleared() if book.errors is not None:
            return replace(book, errors=book.errors - {(event.account, event.lettering)})
        case ledger.ProfileAssigned():
            return replace(book, assigned_profile=event.profile)
        case ledger.ClientStopped():
            return replace(book, stopped=True, resumes_on=event.resumes_on)
        case ledger.ClientResumed():
            return replace(book, stopped=False, resumes_on=None)
        case ledger.EntryStopped():
            return replace(book, stopped_entries={**book.stopped_entries, event.entry_id: event.resumes_on})
        case ledger.EntryResumed():
            return replace(book, stopped_entries=_without(book.stopped_entries, event.entry_id))
        case ledger.DisputeOpened():
            return replace(book, disputes={**book.disputes, event.dispute_id: event.entry_id})
        case ledger.DisputeClosed():
            return replace(book, disputes=_without(book.disputes, event.dispute_id))
        case ledger.PaymentLettered():
            return replace(book, paid=(*book.paid, event))
        case ledger.PaymentsLettered():
            mine = (group for group in event.groups if group.client_id == book.client_id)
            return replace(book, paid=(*book.paid, *mine))
        case ledger.PromiseRecorded():  # one that stands again too
            made = (event.entry_id, event.promised_on)
            return replace(book, promises={**book.promises, event.promise_id: made})
        case ledger.PromiseBroken():
            return book  # late, but still a promise: it makes the entry remindable by its date alone (rule 10.5)
        case ledger.PromiseCancelled():  # kept ones too
            return replace(book, promises=_without(book.promises, event.promise_id))
        case notify.PaymentLinkPaid():
            paid = {(event.payment_id, line.entry_id): on for line in event.entries}
            return replace(book, paid_online={**paid, **book.paid_online})
        case notify.PaymentReturned():
            freed = {(event.payment_id, entry_id) for entry_id in event.freed}
            kept = {key: paid_on for key, paid_on in book.paid_online.items() if key not in freed}
            held = {(event.payment_id, entry_id): on for entry_id in event.held}
            return replace(book, paid_online={**held, **kept})
        case notify.EmailSent():
            return _contacted(book, event.action_id, on)
        case notify.LetterPrepared() | notify.CallLogged() | notify.OtherContactLogged():
            return _contacted(book, event.action_id, event.done_on or on)
        case _:
            return _evolve_own(book, event, on)


def _evolve_own(book: ClientBook, event: Event, on: date) -> ClientBook:  # noqa: PLR0911 - a case per event
    match event:
        case dunning.ActionProposed() | dunning.ActionDue():
            return _opened(book, event.action, isinstance(event, dunning.ActionDue), on)
        case dunning.ActionWithdrawn():
            return replace(book, actions=_without(book.actions, event.action_id))
        case dunning.ActionDone():
            return _done(book, event)
        case dunning.LevelSet():
            stages = _moved(book, event.levels, event.set_on, by_person=True)
            for told in event.noticed:
                stage = stages.get(told.entry_id, Stage())
                stages[told.entry_id] = replace(stage, noticed_on=told.noticed_on)
            return replace(book, stages=stages)
        case dunning.DunningExhausted():
            stage = book.stages.get(event.entry_id, Stage())
            return replace(book, stages={**book.stages, event.entry_id: replace(stage, exhausted=True)})
        case dunning.AutomaticChosen():
            stages = dict(book.stages)
            for choice in event.entries:
                stage = stages.get(choice.entry_id, Stage())
                stages[choice.entry_id] = replace(stage, automatic=choice.automatic)
            return replace(book, stages=stages)
        case dunning.ClientPolicyChanged():
            return replace(book, own=event)
        case dunning.HistoryTakenOver():
            contacts = tuple(Contact(one.contacted_on, one.round_on) for one in event.contacts)
            return replace(
                book,
                thanked=book.thanked.union(event.thanked),
                taken_over={**book.taken_over, event.from_client_id: contacts},
            )
        case _:
            return book


def _synced(book: ClientBook, lines: Iterable[sync.SyncedEntry], on: date) -> ClientBook:
    """Un-lettering reopens an entry on that day (rule 22.8)."""
    known, reopened = dict(book.lines), dict(book.reopened_on)
    for line in lines:
        before = known.get(line.entry_id)
        was_settled = before is not None and not before.removed and before.lettering is not None
        if was_settled and not line.removed and line.lettering is None:
            reopened[line.entry_id] = on
        known[line.entry_id] = line
    return replace(book, lines=known, reopened_on=reopened)


def _contacted(book: ClientBook, action_id: UUID, on: date) -> ClientBook:
    last = max(on, book.contacted_on.get(action_id, on))
    return replace(book, contacted_on={**book.contacted_on, action_id: last})


def _opened(book: ClientBook, action: dunning.Action, confirmed: bool, on: date) -> ClientBook:
    """An action that the scenario does not take into account is none of its open actions (rule 5.5)."""
    held = tuple(
        HeldEntry(entry.entry_id, entry.occurrence, ten_thousandths(entry.amount), entry.due_date)
        for entry in action.entries
    )
    before = book.actions.get(action.action_id)
    opened = OpenAction(
        action.action_id,
        action.step,
        action.medium,
        action.template,
        action.currency,
        action.mode,
        confirmed,
        frozenset(action.accepted_reasons),
        held,
        on if before is None else before.opened_on,
        action.copies,
        action.by_hand,
    )
    entered = {(entry.entry_id, action.step): entry.occurrence for entry in action.entries}
    known = {**book.entered, **entered}
    if not action.counts:  # only a person's own does not, and that is of no round
        return replace(book, entered=known)
    rounds = book.opened_on if action.by_hand else {action.action_id: on, **book.opened_on}
    actions = {**book.actions, action.action_id: opened}
    return replace(book, actions=actions, entered=known, opened_on=rounds)


def _done(book: ClientBook, done: dunning.ActionDone) -> ClientBook:
    if done.step == NOTICE:  # a notice does not change the level (rule 5.4)
        stages = dict(book.stages)
        for move in done.levels:
            stages[move.entry_id] = replace(stages.get(move.entry_id, Stage()), noticed_on=done.done_on)
    elif done.step == THANKS:  # nor does a thank-you
        stages = dict(book.stages)
        entries = [move.entry_id for move in done.levels]
        if done.action_id in book.opened_on:
            book = replace(book, thanked=book.thanked.union(entries))
        else:  # by hand, of whatever entries the person chose
            last = {one: max(done.done_on, book.thanked_by_hand.get(one, done.done_on)) for one in entries}
            book = replace(book, thanked_by_hand={**book.thanked_by_hand, **last})
    else:
        stages = _moved(book, done.levels, done.done_on)
    book = _contacted(book, done.action_id, done.done_on)
    return replace(book, stages=stages, actions=_without(book.actions, done.action_id))


def _moved(
    book: ClientBook, moves: Iterable[dunning.LevelMove], on: date, *, by_person: bool = False
) -> dict[str, Stage]:
    """A next step chosen without a reminder keeps the day of the last one (rule 5.6)."""
    stages = dict(book.stages)
    for move in moves:
        stage = stages.get(move.entry_id, Stage())
        level = level_number(move.level_after)
        kept = stage.reminded_on if by_person and move.next_step else on
        stages[move.entry_id] = replace(
            stage,
            level=level,
            reminded_on=move.reminded_on or kept,
            next_step=move.next_step,
            exhausted=stage.exhausted and level >= level_number(move.level_before),
        )
    return stages


def _without(mapping: Mapping[Key, Value], key: Key) -> dict[Key, Value]:
    return {known: value for known, value in mapping.items() if known != key}
