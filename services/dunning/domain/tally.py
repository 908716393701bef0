"""What simulations give, counted: by day, step and medium, and client by client against another simulation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from services.dunning.domain.simulation import Contact

MORE = "more"
FEWER = "fewer"
EARLIER = "earlier"
LATER = "later"
OTHER = "other"
KINDS = (MORE, FEWER, EARLIER, LATER, OTHER)

UNIT_COSTS: Mapping[str, Decimal] = {
    "email": Decimal("0.02"),
    "letter": Decimal("2.50"),
    "phone": Decimal("5.00"),
    "other": Decimal("15.00"),
}
"""What one contact costs where a company says nothing: an e-mail with its service; a letter with paper, print and
stamp; ten minutes of somebody on the telephone; half an hour for anything else, such as a visit."""


class Count(NamedTuple):
    """``amount`` is net, in ten-thousandths of the bookkeeping currency."""

    contacts: int = 0
    entries: int = 0
    amount: int = 0

    def plus(self, other: "Count") -> "Count":
        return Count(self.contacts + other.contacts, self.entries + other.entries, self.amount + other.amount)


NOTHING = Count()

Cell = tuple[date, str, str]
"""Day, step, medium."""


@dataclass
class Tally:
    """Grows with every client."""

    cells: dict[Cell, Count] = field(default_factory=dict)
    clients: int = 0

    def add(self, contacts: Iterable[Contact]) -> None:
        """One client's contacts."""
        any_ = False
        for one in contacts:
            any_ = True
            cell = (one.on, one.step, one.medium)
            known = self.cells.get(cell, NOTHING)
            self.cells[cell] = Count(
                known.contacts + 1, known.entries + one.entries, known.amount + one.book_amount
            )
        self.clients += any_

    def rows(self) -> list[list[object]]:
        """JSON-ready: day, step, medium, contacts, entries, amount."""
        return [[on.isoformat(), step, medium, *count] for (on, step, medium), count in sorted(self.cells.items())]

    def add_rows(self, rows: Iterable[Sequence[object]], clients: int) -> None:
        """What ``rows`` of another tally gave."""
        for on, step, medium, *counted in rows:
            cell = (date.fromisoformat(str(on)), str(step), str(medium))
            contacts, entries, amount = (int(str(number)) for number in counted)
            self.cells[cell] = self.cells.get(cell, NOTHING).plus(Count(contacts, entries, amount))
        self.clients += clients

    def by(self, *places: int) -> dict[tuple[object, ...], Count]:
        """Counts by some of day (0), step (1) and medium (2)."""
        counts: dict[tuple[object, ...], Count] = {}
        for cell, count in self.cells.items():
            key = tuple(cell[place] for place in places)
            counts[key] = counts.get(key, NOTHING).plus(count)
        return counts

    @property
    def total(self) -> Count:
        return self.by().get((), NOTHING)

    def cost(self, unit_costs: Mapping[str, Decimal]) -> dict[str, Decimal]:
        """By medium."""
        return {
            str(medium): count.contacts * unit_costs[str(medium)]
            for (medium,), count in sorted(self.by(2).items())
        }


class Difference(NamedTuple):
    """One client under the current rules (``before``) and under those that are tried (``after``).

    ``kinds`` are all that hold. ``lost`` and ``gained`` are the contacts that only one of the two has.
    """

    kinds: tuple[str, ...]
    before: int
    after: int
    lost: tuple[Contact, ...]
    gained: tuple[Contact, ...]


def differ(before: Sequence[Contact], after: Sequence[Contact]) -> Difference | None:
    """``None`` when the client would get the very same.

    Contacts are paired by step in order: the first R1 with the first R1. A pair on another day is earlier or
    later; another medium, other lines, another amount, or a step instead of another one is ``other``.
    """
    if before == after:
        return None
    kinds = set()
    if len(after) != len(before):
        kinds.add(MORE if len(after) > len(before) else FEWER)
    steps_before, steps_after = _by_step(before), _by_step(after)
    for step in steps_before.keys() | steps_after.keys():
        olds, news = steps_before.get(step, []), steps_after.get(step, [])
        for old, new in zip(olds, news, strict=False):
            if new.on != old.on:
                kinds.add(EARLIER if new.on < old.on else LATER)
            if new._replace(on=old.on, automatic=old.automatic) != old:
                kinds.add(OTHER)
        if len(before) == len(after) and len(olds) != len(news):
            kinds.add(OTHER)
    if not kinds:
        kinds.add(OTHER)
    lost = tuple(sorted(_without(before, after)))
    gained = tuple(sorted(_without(after, before)))
    return Difference(tuple(kind for kind in KINDS if kind in kinds), len(before), len(after), lost, gained)


def _by_step(contacts: Iterable[Contact]) -> dict[str, list[Contact]]:
    steps: dict[str, list[Contact]] = {}
    for one in contacts:
        steps.setdefault(one.step, []).append(one)
    return steps


def _without(contacts: Iterable[Contact], others: Iterable[Contact]) -> list[Contact]:
    left = list(others)
    only = []
    for one in contacts:
        if one in left:
            left.remove(one)
        else:
            only.append(one)
    return only
