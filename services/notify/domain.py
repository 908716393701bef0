"""What a message says in figures, and the last look before it leaves. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from contracts.dunning import Action, ActionEntry
from contracts.late_interest import Claim
from contracts.terms import days_late, net


class WithholdReason(StrEnum):
    """Why the last look kept a message back."""

    ACTION_WITHDRAWN = "action_withdrawn"
    CLIENT_REMOVED = "client_removed"
    CLIENT_STOPPED = "client_stopped"
    ENTRY_STOPPED = "entry_stopped"
    ENTRY_REMOVED = "entry_removed"
    ENTRY_LETTERED = "entry_lettered"
    LETTERING_UNDONE = "lettering_undone"
    ENTRY_CHANGED = "entry_changed"
    PROMISE_AHEAD = "promise_ahead"
    DISPUTED = "disputed"
    PROMISED_SINCE = "promised_since"
    DISPUTED_SINCE = "disputed_since"
    REPLIED_SINCE = "replied_since"
    PAID_ONLINE = "paid_online"
    NOTHING_DUE = "nothing_due"


class NotYetHeard(StrEnum):
    """Why the last look cannot judge yet: the message waits until notify has heard as much as dunning had."""

    ENTRY = "entry_not_yet_heard"


@dataclass(frozen=True, slots=True)
class EntryNow:
    """An accounting line as notify knows it now. ``amount`` is debit minus credit in the line's currency."""

    entry_id: str
    piece: str
    kind: str
    entry_date: date
    due_date: date
    amount: Decimal
    currency: str
    lettered: bool = False
    removed: bool = False
    stopped: bool = False
    resumes_on: date | None = None
    """The day on which its stop ends by itself."""
    promised_on: tuple[date, ...] = ()
    """The days of its open promises."""
    disputed: bool = False
    promised_since: tuple[date, ...] = ()
    """The days of those open promises that were recorded after the action became due."""
    disputed_since: bool = False
    """A dispute about it was opened after the action became due, and stands."""
    paid_online: bool = False
    """Since the action became due; before, the decision knew it (rule 8.6)."""


@dataclass(frozen=True, slots=True)
class SituationNow:
    """Everything the last look needs, read in the transaction that lets the message go."""

    withdrawn: bool
    client_stopped: bool
    client_removed: bool
    promises_exclude: bool
    entries: Mapping[str, EntryNow]
    client_resumes_on: date | None = None
    client_disputed: bool = False
    disputes_exclude: bool = False
    client_disputed_since: bool = False
    replied_since: bool = False
    """The client answered one of its messages after the action became due."""


OVERRIDABLE = frozenset(
    {
        WithholdReason.CLIENT_STOPPED,
        WithholdReason.ENTRY_STOPPED,
        WithholdReason.PROMISE_AHEAD,
        WithholdReason.DISPUTED,
        WithholdReason.PAID_ONLINE,
    }
)
"""What a person may set aside by ticking an excluded row back (rule 8.15)."""


def last_look(
    action: Action, now: SituationNow, as_of: date, despite: frozenset[str] = frozenset()
) -> WithholdReason | NotYetHeard | None:
    """Why this message must not leave, or ``None`` (rules 8.1, 8.2, 8.5, 5.8, 22.5, 22.10, 22.32, 22.33).

    ``despite`` holds the reasons that the person who confirmed knew and set aside (rule 8.15).
    """
    if not now.withdrawn and any(line.entry_id not in now.entries for line in action.entries):
        return NotYetHeard.ENTRY
    set_aside = OVERRIDABLE & despite
    return next((reason for reason in _reasons(action, now, as_of) if reason not in set_aside), None)


def _reasons(action: Action, now: SituationNow, as_of: date) -> Iterator[WithholdReason]:
    """A thank-you speaks of settled entries, so lettering and balance do not hold it back."""
    if now.withdrawn:
        yield WithholdReason.ACTION_WITHDRAWN
        return
    if now.client_removed:
        yield WithholdReason.CLIENT_REMOVED
    if now.client_stopped and not stop_is_over(now.client_resumes_on, as_of):
        yield WithholdReason.CLIENT_STOPPED
    thanks = action.kind == "thanks"
    for line in action.entries:
        yield from _reasons_of_entry(line, now.entries[line.entry_id], now, as_of, thanks=thanks)
    if not thanks and now.replied_since:
        yield WithholdReason.REPLIED_SINCE
    if not thanks and statement(action, now.entries, as_of).amount_due <= 0:
        yield WithholdReason.NOTHING_DUE


def _reasons_of_entry(
    line: ActionEntry, entry: EntryNow, now: SituationNow, as_of: date, *, thanks: bool
) -> Iterator[WithholdReason]:
    if entry.removed:
        yield WithholdReason.ENTRY_REMOVED
    if entry.stopped and not stop_is_over(entry.resumes_on, as_of):
        yield WithholdReason.ENTRY_STOPPED
    if thanks:
        if not entry.lettered:
            yield WithholdReason.LETTERING_UNDONE
        return
    if entry.lettered:
        yield WithholdReason.ENTRY_LETTERED
    if entry.paid_online:
        yield WithholdReason.PAID_ONLINE
    if entry.amount != line.amount or entry.due_date != line.due_date:
        yield WithholdReason.ENTRY_CHANGED
    if now.promises_exclude and promises_exclude(entry.promised_on, as_of):
        yield WithholdReason.PROMISE_AHEAD
    if now.disputes_exclude and (entry.disputed or now.client_disputed):
        yield WithholdReason.DISPUTED
    # whoever decided did not know of these, whatever the company chose
    if any(day >= as_of for day in entry.promised_since):
        yield WithholdReason.PROMISED_SINCE
    if entry.disputed_since or now.client_disputed_since:
        yield WithholdReason.DISPUTED_SINCE


def stop_is_over(resumes_on: date | None, as_of: date) -> bool:
    """A stop with an end holds until the day before; without one, until a person resumes (rules 8.1, 8.2)."""
    return resumes_on is not None and resumes_on <= as_of


def promises_exclude(promised_on: Iterable[date], as_of: date) -> bool:
    """An open promise is ahead and none is late; on the day itself it is neither (rule 10.5)."""
    days = tuple(promised_on)
    return any(day > as_of for day in days) and not any(day < as_of for day in days)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table of a message (rule 7.6)."""

    entry_id: str
    piece: str
    entry_date: date
    due_date: date
    amount: Decimal
    level: str | None = None
    label: str = ""

    @property
    def is_debit(self) -> bool:
        return self.amount > 0

    def days_late(self, as_of: date) -> int:
        return days_late(self.due_date, as_of)


@dataclass(frozen=True)
class Statement:
    """The table of one message, in one currency: its lines, oldest due date first, debits before credits. What
    they come to is shown in many places, and counted once."""

    lines: tuple[Line, ...]
    currency: str
    as_of: date

    @cached_property
    def debits(self) -> Decimal:
        """The line Total, column amount."""
        return sum((line.amount for line in self.lines if line.amount > 0), Decimal(0))

    @cached_property
    def credits(self) -> Decimal:
        """The line Total, column credit note / payment; positive."""
        return -sum((line.amount for line in self.lines if line.amount < 0), Decimal(0))

    @cached_property
    def amount_due(self) -> Decimal:
        return net([self.debits], [self.credits])

    @cached_property
    def invoices(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.is_debit)

    @property
    def oldest_due_date(self) -> date | None:
        return min((line.due_date for line in self.invoices), default=None)

    @property
    def max_days_late(self) -> int:
        return max((line.days_late(self.as_of) for line in self.invoices), default=0)

    def claimed(self, claims: Mapping[str, Claim]) -> tuple[Claim, ...]:
        """Those about its invoices (rules 18.2, 18.3)."""
        return tuple(claims[line.entry_id] for line in self.invoices if line.entry_id in claims)


def statement(
    action: Action, entries: Mapping[str, EntryNow], as_of: date, labels: Mapping[str, str] | None = None
) -> Statement:
    """The table that this action's message shows, from the lines as they are now."""
    lines = [
        Line(
            entry_id=line.entry_id,
            piece=entry.piece,
            entry_date=entry.entry_date,
            due_date=entry.due_date,
            amount=entry.amount,
            level=line.level_before,
            label=(labels or {}).get(line.entry_id, ""),
        )
        for line in action.entries
        if (entry := entries.get(line.entry_id)) is not None
    ]
    lines.sort(key=lambda line: (not line.is_debit, line.due_date, line.piece, line.entry_id))
    return Statement(tuple(lines), action.currency, as_of)


LONGEST_LOCAL_PART = 64


def tagged(address: str, named: str) -> str:
    """The address with the name of a message in it (``compta+0b8f…@delcourt.example``), for answers and reports
    that quote nothing; as it is where that would be too long (RFC 5321, 4.5.3.1.1). ``named`` is a Message-ID."""
    local, _, domain = address.rpartition("@")
    name = named[1:].partition("@")[0].replace("-", "")
    return f"{local}+{name}@{domain}" if len(local) + 1 + len(name) <= LONGEST_LOCAL_PART else address


def message_id(action_id: object, sender_email: str) -> str:
    """The RFC 5322 Message-ID of an action's message: the same on every attempt."""
    return f"<{action_id}@{sender_email.rpartition('@')[2]}>"


@dataclass(frozen=True, slots=True)
class Contact:
    """One of a client's people, and what reaches it (rule 19.1). ``reminders_from`` is a level, 1 to 7."""

    name: str
    email: str
    notices: bool = False
    reminders_from: int | None = None
    thanks: bool = False
    in_copy: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who is written to, as ledger knows it at ``version``."""

    client_id: str
    version: int
    name: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    """The lines of the postal address, without the name."""
    contact_name: str = ""
    contacts: tuple[Contact, ...] = ()
    language: str = "fr"
    salesperson: str = ""
    free_fields: Mapping[str, str] = field(default_factory=dict)
    """``tag1`` to ``tag10``."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, per company. ``late_interest``: it has said of whom late interest is claimed (rule 18.2)."""

    name: str
    email: str
    company_name: str
    reply_to: str = ""
    phone: str = ""
    company_address: str = ""
    footer: str = ""
    bank_details: str = ""
    payment_url: str = ""
    invoices_url: str = ""
    space_url: str = ""
    """The client's private link (rule 13.8); empty where none is offered, and on letters."""
    late_interest: bool = False
    track_opens: bool = False
    attach_invoices: bool = False
    """The documents of the invoices that a message speaks of go with it."""
    link_invoices: bool = False
    """Links to them stand in it instead."""
    tagged: bool = False
    """The addresses that reports and answers come to name the message (docs/adr/0046)."""
    personal_from: bool = False
    """Who writes by hand may write from their own address, where its domain is that of ``email``."""
    person: str = ""
    """The address of the person who writes by hand; answers go there."""

    @property
    def from_address(self) -> str:
        """What recipients see. Reports come back to ``email`` whoever writes."""
        same_domain = self.person.rpartition("@")[2].lower() == self.email.rpartition("@")[2].lower()
        return self.person if self.personal_from and self.person and same_domain else self.email


LONGEST_ENDING = 4
"""Of a file's name: what is longer names no format."""


@dataclass(frozen=True, slots=True)
class LinkedDocument:
    """A document of an invoice that the message links to. ``url`` is private to the client."""

    piece: str
    name: str
    url: str

    @property
    def form(self) -> str:
        """``PDF`` and the like, as its name tells; empty where it does not."""
        _, dot, ending = self.name.rpartition(".")
        return ending.upper() if dot and ending.isalpha() and len(ending) <= LONGEST_ENDING else ""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Everything that a message speaks of."""

    action: Action
    statement: Statement
    person: Person
    sender: Sender
    overdue: Decimal
    """What the client owes that is late, in the message's currency, net of credits (rules 1.3, 1.4)."""
    upcoming: Decimal
    as_of: date
    pixel_url: str = ""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """Late interest and indemnity by entry; empty unless the client is a business (rule 18.2)."""

    documents: tuple[LinkedDocument, ...] = ()
    """Of its invoices, where the text shows links to them."""

    @property
    def interest(self) -> Decimal:
        """Late interest on the message's invoices, in its currency (rule 18.3)."""
        return sum((claim.interest for claim in self.statement.claimed(self.claims)), Decimal(0))

    @property
    def indemnity(self) -> Decimal:
        """Fixed indemnity for the message's invoices, in euros (rule 18.2)."""
        return sum((claim.indemnity for claim in self.statement.claimed(self.claims)), Decimal(0))
