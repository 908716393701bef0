"""The day's actions, as dunning proposes them, ready to be shown, ticked and counted."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from contracts.terms import days_late
from services.console.formatting import as_day
from services.console.gateway import Json

MEDIA = ("phone", "letter", "email", "other")


@dataclass(frozen=True)
class Line:
    """One entry of an action, or one left out of it with its reasons."""

    entry_id: str
    amount: Decimal
    due_date: date
    days_late: int
    level: str | None
    reasons: tuple[str, ...]
    piece: str = ""
    label: str = ""


@dataclass(frozen=True)
class Row:
    """One client in a group: an action, or what would have been one. ``reasons`` say why it is excluded."""

    key: str
    action_id: str | None
    client_id: str
    currency: str
    amount: Decimal
    due_since: date | None
    days_since: int
    level: str | None
    reasons: tuple[str, ...]
    lines: tuple[Line, ...]
    ticked: bool
    can_include: bool = False
    status: str = "proposed"
    name: str = ""

    @property
    def excluded(self) -> bool:
        return self.action_id is None

    @property
    def debits(self) -> int:
        """How many entries the action speaks of."""
        return sum(1 for line in self.lines if not line.reasons) or len(self.lines)


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


def total(rows: Iterable[Row]) -> Total:
    rows = list(rows)
    amounts: dict[str, Decimal] = {}
    for row in rows:
        amounts[row.currency] = amounts.get(row.currency, Decimal(0)) + row.amount
    return Total(len(rows), len({row.client_id for row in rows}), tuple(sorted(amounts.items())))


def of_medium(groups: Sequence[Group], medium: str) -> list[Group]:
    return [group for group in groups if group.medium == medium]


def read_groups(tasks: Json, unticked: Collection[str], as_of: date) -> list[Group]:
    """Dunning's answer as groups in the order of the page; what this person has unticked stays unticked."""
    groups = [_group(found, unticked, as_of) for found in tasks["groups"]]
    return sorted(groups, key=lambda group: MEDIA.index(group.medium) if group.medium in MEDIA else len(MEDIA))


def _group(found: Json, unticked: Collection[str], as_of: date) -> Group:
    with_email = found.get("has_email", found.get("variant") != "without_email")
    key = "-".join((found["medium"], found["step"], found["profile"], "e" if with_email else "n"))
    rows = tuple(_row(row, unticked, as_of) for row in found["rows"])
    return Group(key, found["medium"], found["step"], found, found["profile"], bool(with_email), rows)


def _row(row: Json, unticked: Collection[str], as_of: date) -> Row:
    reasons = tuple(row.get("reasons") or ())
    action_id = row.get("action_id")
    since = row.get("due_since")
    lines = tuple(_line(line, as_of) for line in row.get("entries") or ())
    levels = [line.level for line in lines if line.level]
    return Row(
        key=str(action_id or f"{row['client_id']}-{row.get('currency', '')}"),
        action_id=str(action_id) if action_id else None,
        client_id=row["client_id"],
        currency=row["currency"],
        amount=Decimal(row.get("net_amount") or row.get("amount") or "0"),
        due_since=as_day(since) if since else None,
        days_since=days_late(as_day(since), as_of) if since else 0,
        level=row.get("level_before") or max(levels, default=None),
        reasons=reasons,
        lines=lines,
        ticked=bool(row.get("ticked", not reasons)) and str(action_id) not in unticked,
        can_include=bool(row.get("can_include", False)),
        status=row.get("status", "proposed"),
    )


def _line(line: Json, as_of: date) -> Line:
    due = as_day(line["due_date"])
    return Line(
        entry_id=line["entry_id"],
        amount=Decimal(line["amount"]),
        due_date=due,
        days_late=days_late(due, as_of),
        level=line.get("level_before"),
        reasons=tuple(line.get("reasons") or ()),
    )


def named(group: Group, names: dict[str, str]) -> Group:
    """With the clients' names in place of their codes."""
    return replace(
        group, rows=tuple(replace(row, name=names.get(row.client_id, row.client_id)) for row in group.rows)
    )


def chosen_group(groups: Sequence[Group], key: str, medium: str, step: str) -> Group | None:
    """The group that the address asks for, else the first e-mail one, else the first."""
    asked = [group for group in groups if group.key == key]
    asked += [group for group in groups if group.medium == medium and step in ("", group.step)] if medium else []
    asked += of_medium(groups, "email")
    return next(iter([*asked, *groups]), None)


def pieces(statement_lines: Iterable[Json]) -> dict[str, dict[str, Any]]:
    return {line["entry_id"]: line for line in statement_lines}
