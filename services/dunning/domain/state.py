"""What a decision about one client looks at. Tuples, because a round makes hundreds of thousands of them."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

NEVER_ENTERED: Mapping[str, int] = {}


class EntryState(NamedTuple):
    """One open line of a client. Amounts are debit minus credit, in ten-thousandths; a credit is below zero.

    ``counted_on`` is the invoice date, or the entry date where accounting gives none. ``level`` is 0 to 7,
    ``reminded_on`` the day it was reached. ``first_promise_on`` and ``last_promise_on`` span the open promises.
    ``reopened_on`` is the day the line was un-lettered (rules 5.8, 22.8). A stop ends by itself on ``resumes_on``.
    ``paid_online_on`` is the day of the last online payment (rule 8.6).
    ``forced`` is true while the next step is one that a person chose (rules 5.5, 5.6). ``automatic`` is what a
    person chose, ``None`` for what the policy says (rule 22.13). ``entered`` counts, per step, the actions that
    have held the entry (rule 22.12).
    """

    entry_id: str
    currency: str
    amount: int
    book_amount: int
    due_date: date
    counted_on: date
    payment_mode: str | None = None
    level: int = 0
    reminded_on: date | None = None
    noticed_on: date | None = None
    stopped: bool = False
    lettering_error: bool = False
    reopened_on: date | None = None
    first_promise_on: date | None = None
    last_promise_on: date | None = None
    resumes_on: date | None = None
    disputed: bool = False
    forced: bool = False
    automatic: bool | None = None
    paid_online_on: date | None = None
    entered: Mapping[str, int] = NEVER_ENTERED


class HeldEntry(NamedTuple):
    """An entry as an action holds it."""

    entry_id: str
    occurrence: int
    amount: int
    due_date: date


class Contact(NamedTuple):
    """The last day on which the client was contacted by actions of one round; ``round_on`` is ``None`` for
    contacts that no action of ours stands behind.
    """

    on: date
    round_on: date | None


class OpenAction(NamedTuple):
    """An action that is neither done nor withdrawn. ``confirmed`` is false while it waits for a person.

    ``accepted_reasons`` are those a person overrode by ticking the row back (rule 8.15).
    """

    action_id: UUID
    step: str
    medium: str
    template: str | None
    currency: str
    mode: str
    confirmed: bool
    accepted_reasons: frozenset[str]
    entries: tuple[HeldEntry, ...]
    opened_on: date | None = None
    copies: tuple[UUID, ...] = ()
    by_hand: bool = False


class PaidLine(NamedTuple):
    """A payment, or what it settles. ``entered`` counts the thank-yous that have held it."""

    entry_id: str
    currency: str
    amount: int
    book_amount: int
    due_date: date
    level: int = 0
    entered: int = 0


class PaidGroup(NamedTuple):
    """Payments that were lettered together, and what they settle, in the payments' currency (rule 12.2).

    ``settled`` while every line is there and lettered. Groups that were thanked are not here any more.
    """

    paid_on: date
    settled: bool
    lines: tuple[PaidLine, ...]


class Resting(NamedTuple):
    """Lines that are not looked at: what they come to in the bookkeeping currency, when the first wakes up, and
    what speaks against the whole client by those of them that are excluded.
    """

    book_amount: int = 0
    until: date | None = None
    against: frozenset[frozenset[str]] = frozenset()


NOTHING_RESTS = Resting()


class ClientState(NamedTuple):
    """A client with its open lines. ``profile`` is ``None`` for the company's default one (rule 3.4).

    ``disputed`` is a dispute of the whole account; a stop ends by itself on ``resumes_on``. ``never``,
    ``tolerance_days`` and ``tolerance_amount`` are the client's own policy (rules 22.26, 22.27). ``contacts``
    are those of the last two rounds that led to any, latest first (rule 22.7). ``synced_on`` is the day of the
    company's last successful synchronisation (rule 2.6). ``resting`` are open lines that are not among
    ``entries`` (``domain/narrow``).
    """

    company: str
    client_id: str
    profile: str | None
    has_email: bool
    stopped: bool
    payment_mode: str | None
    entries: tuple[EntryState, ...]
    open_actions: tuple[OpenAction, ...] = ()
    resumes_on: date | None = None
    disputed: bool = False
    never: bool = False
    tolerance_days: int | None = None
    tolerance_amount: int | None = None
    contacts: tuple[Contact, ...] = ()
    synced_on: date | None = None
    paid: tuple[PaidGroup, ...] = ()
    resting: Resting = NOTHING_RESTS
