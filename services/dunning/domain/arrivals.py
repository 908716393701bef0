"""What comes from outside while a client is simulated, day by day."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from services.dunning.domain.state import ClientState, EntryState, PaidGroup, PaidLine

NEVER = date.max


class Coming(Protocol):
    """The facts that come from outside, day by day."""

    def next_on(self) -> date:
        """The day of the next fact; ``NEVER`` when none is left."""

    def arrive(self, on: date, client: ClientState) -> ClientState:
        """The client once the facts up to that day are known."""


class Payments:
    """Entries that are paid, each on a day of its own, each by a payment lettered with it at once."""

    def __init__(self, paid_on: Mapping[str, date]) -> None:
        self._left = sorted(((on, entry_id) for entry_id, on in paid_on.items()), reverse=True)

    def next_on(self) -> date:
        return self._left[-1][0] if self._left else NEVER

    def arrive(self, on: date, client: ClientState) -> ClientState:
        paid = set()
        while self._left and self._left[-1][0] <= on:
            paid.add(self._left.pop()[1])
        left, groups = [], list(client.paid)
        for entry in client.entries:
            if entry.entry_id in paid:
                groups.append(PaidGroup(on, True, _settled(entry, on)))
            else:
                left.append(entry)
        return client._replace(entries=tuple(left), paid=tuple(groups))


def _settled(entry: EntryState, on: date) -> tuple[PaidLine, PaidLine]:
    lines = PaidLine(entry.entry_id, entry.currency, entry.amount, entry.book_amount, entry.due_date, entry.level)
    payment = PaidLine(f"payment of {entry.entry_id}", entry.currency, -entry.amount, -entry.book_amount, on)
    return payment, lines


def paid_by_habit(entries: Iterable[EntryState], delay_days: int | None, first: date) -> dict[str, date]:
    """When invoices are paid if the client goes on as he did: so many days after the due date.

    An invoice that is later than the habit already stays unpaid: it is one of those that reminders are for. So
    does everything where nothing was ever paid (``delay_days`` is ``None``).
    """
    if delay_days is None:
        return {}
    paid = {}
    for entry in entries:
        if entry.amount > 0:
            on = date.fromordinal(min(entry.due_date.toordinal() + delay_days, NEVER.toordinal()))
            if on >= first:
                paid[entry.entry_id] = on
    return paid
