"""One look at one entry, and the messages that are drawn from many looks."""

from collections.abc import Iterable
from typing import NamedTuple

from services.dunning.domain.exclusions import message_reasons
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Step
from services.dunning.domain.state import EntryState
from services.dunning.domain.triggers import Pending
from services.dunning.domain.verdicts import NoStep, NotDue


class Look(NamedTuple):
    """An entry, its next step, and the reasons against it; ``pending`` is ``None`` when no step follows.

    ``asleep`` is what is decided where its step comes later or none does, ``None`` where it is due.
    """

    entry: EntryState
    pending: Pending | None
    reasons: tuple[str, ...]
    asleep: NotDue | NoStep | None = None


class Draft(NamedTuple):
    """A message as it would be: its members pass all the rules that lie in themselves."""

    step: Step
    currency: str
    members: tuple[Look, ...]
    amount: int
    net_amount: int
    book_net_amount: int
    reasons: tuple[str, ...]


def draft(step: Step, currency: str, members: Iterable[Look], policy: Policy) -> Draft:
    """Of one member or more. Amounts of rule 7.6; the total of rule 8.8 is what the message asks for (8.13)."""
    members = tuple(members)
    if len(members) > 1:
        members = tuple(sorted(members, key=_by_age))
    amount = net_amount = book_net_amount = 0
    netted = policy.netting != "none"
    for member in members:
        entry = member.entry
        if entry.amount > 0:
            amount += entry.amount
        if entry.amount > 0 or netted:
            net_amount += entry.amount
            book_net_amount += entry.book_amount
    reasons = message_reasons(book_net_amount, net_amount, policy)
    return Draft(step, currency, members, amount, net_amount, book_net_amount, reasons)


def _by_age(look: Look) -> tuple[object, str]:
    return look.entry.due_date, look.entry.entry_id
