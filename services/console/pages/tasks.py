"""The day's actions, as dunning proposes them, ready to be shown, ticked and counted."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from services.console.formatting import as_day
from services.console.gateway import Json

MEDIA = ("phone", "letter", "email", "other")


@dataclass(frozen=True)
class Line:
    """One entry of an action, or one left out of it with its reasons."""

    entry_id: str
    piece: str
    amount: Decimal
    due_date: date
    days_late: int
    level: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One client in a group: an action, or what would have been one. ``reasons`` say why it is excluded."""

    key: str
    action_id: str | None
    client_id: str
    currency: str
    amount: Decimal
    days_since: int | None
    level: str | None
    reasons: tuple[str, ...]
    lines: tuple[Line, ...]
    ticked: bool
    can_include: bool
    status: str
    name: str = ""

    @property
    def excluded(self) -> bool:
        return self.action_id is None

    @property
    def entries(self) -> int:
        """How many entries the message speaks of, or would."""
        return sum(1 for line in self.lines if self.excluded or not line.reasons)

    @property
    def held_back(self) -> list[Line]:
        """The entries that a person may tick back."""
        return [line for line in self.lines if line.reasons] if self.can_include else []


@dataclass(frozen=True)
class Group:
    """One step of one scenario variant, through one medium."""

    key: str
    medium: str
    step: str
    timing: Json
    profile: str
    has_email: bool
    rows: tuple[Row, ...]

    @property
    def actions(self) -> list[Row]:
        return [row for row in self.rows if not row.excluded]

    @property
    def excluded(self) -> list[Row]:
        return [row for row in self.rows if row.excluded]

    @property
    def ticked(self) -> list[Row]:
        return [row for row in self.rows if row.ticked and not row.excluded]


@dataclass(frozen=True)
class Total:
    """What a button does: to how many, for how much, per currency."""

    actions: int
    clients: int
    amounts: tuple[tuple[str, Decimal], ...]


class Counted(Protocol):
    """One message to one client."""

    @property
    def client_id(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...


def total(rows: Iterable[Counted]) -> Total:
    rows = list(rows)
    amounts: dict[str, Decimal] = {}
    for row in rows:
        amounts[row.currency] = amounts.get(row.currency, Decimal(0)) + row.amount
    return Total(len(rows), len({row.client_id for row in rows}), tuple(sorted(amounts.items())))


def of_medium(groups: Sequence[Group], medium: str) -> list[Group]:
    return [group for group in groups if group.medium == medium]


def read_groups(tasks: Json, unticked: Collection[str]) -> list[Group]:
    """Dunning's answer as groups in the order of the page; what this person has unticked stays unticked."""
    groups = [_group(found, unticked) for found in tasks["groups"]]
    groups = [group for group in groups if group.rows]
    return sorted(groups, key=lambda group: MEDIA.index(group.medium) if group.medium in MEDIA else len(MEDIA))


def _group(found: Json, unticked: Collection[str]) -> Group:
    key = "-".join((found["medium"], found["step"], found["profile"], "e" if found["has_email"] else "n"))
    rows = [_row(row, found["medium"], unticked) for row in found["rows"]]
    # an e-mail that was confirmed is on its way: nothing is left to do about it here
    rows = [row for row in rows if found["medium"] != "email" or row.status != "due"]
    return Group(
        key, found["medium"], found["step"], found, found["profile"], found["has_email"], tuple(_together(rows))
    )


def _together(rows: list[Row]) -> list[Row]:
    """Entries held back stand inside their client's action where there is one; the longest due come first."""
    excluded = {(row.client_id, row.currency): row for row in rows if row.excluded}
    found = []
    for row in rows:
        if row.excluded:
            continue
        held = excluded.pop((row.client_id, row.currency), None)
        found.append(replace(row, lines=row.lines + held.lines, can_include=held.can_include) if held else row)
    found.sort(key=lambda row: -(row.days_since or 0))
    return found + list(excluded.values())


def _row(row: Json, medium: str, unticked: Collection[str]) -> Row:
    action_id = str(row["action_id"]) if row["action_id"] else None
    wanted = row["ticked"] or (row["status"] == "due" and medium != "email")
    return Row(
        key=action_id or f"{row['client_id']}-{row['currency']}",
        action_id=action_id,
        client_id=row["client_id"],
        currency=row["currency"],
        amount=Decimal(row["net_amount"]),
        days_since=row["days_since"],
        level=row["level_before"],
        reasons=tuple(row["reasons"]),
        lines=tuple(_line(line) for line in row["entries"]),
        ticked=bool(wanted) and action_id not in unticked,
        can_include=row["can_include"],
        status=row["status"],
    )


def _line(line: Json) -> Line:
    return Line(
        entry_id=line["entry_id"],
        piece=line["piece"] or "",
        amount=Decimal(line["amount"]),
        due_date=as_day(line["due_date"]),
        days_late=line["days_late"],
        level=line["level_before"],
        reasons=tuple(line["reasons"]),
    )


def named(group: Group, names: dict[str, str]) -> Group:
    """With the clients' names in place of their codes."""
    return replace(
        group, rows=tuple(replace(row, name=names.get(row.client_id, row.client_id)) for row in group.rows)
    )


def chosen_group(groups: Sequence[Group], key: str, medium: str, step: str) -> Group | None:
    """The group that the address asks for, else the first one with something to do, e-mails before the others."""
    named_one = [group for group in groups if group.key == key]
    asked = [group for group in groups if group.medium == medium and step in ("", group.step)] if medium else []
    offered = asked or [*of_medium(groups, "email"), *groups]
    return next(iter([*named_one, *(group for group in offered if group.actions), *offered]), None)
