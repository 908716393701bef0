"""What the delivered scenario must propose for a FEC on its first day, computed with the standard library alone.

Nothing of the product is imported: the file is read, due dates are counted, entries are grouped by hand. The
delivered scenario of Standard clients with an e-mail address starts with a notice 8 days before the due date and
R1 8 days after it, both by e-mail; no threshold, no promise, no stop exists on the first day.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

TERM_DAYS = 30
NOTICE_DAYS = 8
FIRST_REMINDER_DAYS = 8


@dataclass(frozen=True)
class Line:
    client: str
    account: str
    code: str
    amount: Decimal
    due: date


@dataclass(frozen=True)
class Expected:
    """What the books hold and what is to be done: ``{(client, step): (amount, net amount, entries)}``."""

    receivable_lines: int
    clients: int
    lettering_groups: int
    unbalanced_groups: int
    open_entries: int
    open_balance: Decimal
    open_lines: Counter[tuple[str, Decimal, int]]
    """(client, amount, days late) of every open line: without code, or in a group that does not balance."""
    actions: dict[tuple[str, str], tuple[Decimal, Decimal, int]]


def expected(file: Path, as_of: date, encoding: str, separator: str) -> Expected:
    """Read the file and compute the first day's actions by e-mail."""
    lines = list(_receivable(file, encoding, separator))
    groups: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        if line.code:
            groups[line.account, line.client, line.code] += line.amount
    wrong = {key for key, difference in groups.items() if abs(difference) > Decimal("0.005")}
    unlettered = [line for line in lines if not line.code]
    return Expected(
        receivable_lines=len(lines),
        clients=len({line.client for line in lines}),
        lettering_groups=len(groups),
        unbalanced_groups=len(wrong),
        open_entries=len(unlettered),
        open_balance=sum((line.amount for line in unlettered), Decimal(0)),
        open_lines=Counter(
            (line.client, line.amount, (as_of - line.due).days)
            for line in lines
            if not line.code or (line.account, line.client, line.code) in wrong
        ),
        actions=_actions(unlettered, as_of),
    )


def _receivable(file: Path, encoding: str, separator: str) -> list[Line]:
    with file.open(encoding=encoding, newline="") as text:
        head, *rows = [row.rstrip("\r\n").split(separator) for row in text if row.strip()]
    at = {name: index for index, name in enumerate(head)}
    lines = []
    for row in rows:
        account = row[at["CompteNum"]].strip()
        if not account.startswith("411"):
            continue
        if "Sens" in at:
            amount = _number(row[at["Montant"]]) * {"D": 1, "C": -1}[row[at["Sens"]].strip()]
        else:
            amount = _number(row[at["Debit"]]) - _number(row[at["Credit"]])
        written = _day(row[at["EcritureDate"]])
        invoiced = _day(row[at["PieceDate"]]) if row[at["PieceDate"]].strip() else written
        due = invoiced + timedelta(days=TERM_DAYS) if amount > 0 else invoiced
        client = row[at["CompAuxNum"]].strip() or account
        lines.append(Line(client, account, row[at["EcritureLet"]].strip(), amount, due))
    return lines


def _actions(unlettered: list[Line], as_of: date) -> dict[tuple[str, str], tuple[Decimal, Decimal, int]]:
    grouped: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for line in unlettered:
        late = (as_of - line.due).days
        if late >= FIRST_REMINDER_DAYS:
            grouped[line.client, "R1"].append(line.amount)
        elif -NOTICE_DAYS <= late <= 0 and line.amount > 0:
            grouped[line.client, "notice"].append(line.amount)
    actions = {}
    for key, amounts in grouped.items():
        asked = sum((amount for amount in amounts if amount > 0), Decimal(0))
        net = sum(amounts, Decimal(0))
        if asked and net > 0:
            actions[key] = (asked, net, len(amounts))
    return actions


def _number(text: str) -> Decimal:
    return Decimal(text.strip().replace(",", ".") or "0")


def _day(text: str) -> date:
    digits = text.strip().replace("-", "")
    return date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}")
