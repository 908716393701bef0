"""What two receivables exports hold, read with the standard library alone: nothing of the product is imported."""

import csv
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

SHARED = Path(__file__).parents[4] / "shared" / "data"
HIGHRADIUS = SHARED / "highradius" / "open_invoices.csv"
IBM = SHARED / "ibm" / "accounts_receivable_until_2013-03.csv"
CANADIAN = Decimal("0.7")


@dataclass(frozen=True)
class Receivables:
    """``days_late`` of the open invoices by number, negative when not due; ``paid_late`` of the paid ones, 0 when
    in time; ``balance`` is what is open, in US dollars."""

    clients: int
    balance: Decimal
    days_late: dict[str, int]
    paid_late: dict[str, int]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def highradius(day: date) -> Receivables:
    rows = [row for row in _rows(HIGHRADIUS) if row["isOpen"] == "1"]
    balance = Decimal(0)
    for row in rows:
        amount = Decimal(row["total_open_amount"])
        rate = CANADIAN if row["invoice_currency"] == "CAD" else Decimal(1)
        balance += (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
    late = {
        str(int(float(row["invoice_id"]))): (day - date.fromisoformat(row["due_in_date"])).days for row in rows
    }
    return Receivables(len({row["cust_number"] for row in rows}), balance, late, {})


def ibm(day: date) -> Receivables:
    """The file says itself how late each invoice was paid; that column is what the import is held against."""
    rows = _rows(IBM)
    unpaid = [row for row in rows if _american(row["SettledDate"]) > day]
    paid = [row for row in rows if _american(row["SettledDate"]) <= day]
    return Receivables(
        len({row["customerID"] for row in rows}),
        sum((Decimal(row["InvoiceAmount"]) for row in unpaid), Decimal(0)),
        {row["invoiceNumber"]: (day - _american(row["DueDate"])).days for row in unpaid},
        {row["invoiceNumber"]: int(row["DaysLate"]) for row in paid},
    )


def _american(text: str) -> date:
    month, day, year = text.split("/")
    return date(int(year), int(month), int(day))
