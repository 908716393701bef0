"""The account as a workbook (rule 19.7): the client, its entries with their documents, late interest."""

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook

from services.notify.collection.gathering import Dossier
from services.notify.collection.index import postal
from services.notify.collection.wording import WORDS, code

Cell = str | int | Decimal | date | None


def workbook(dossier: Dossier, language: str) -> bytes:
    """Three sheets; text is never read as a formula or a link."""
    words = WORDS[language]
    output = io.BytesIO()
    with Workbook(output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": words["title"], "company": dossier.sender.company_name})
        writer = _Writer(book, language)
        writer.pairs(words["client_sheet"], _client(dossier, words, language))
        writer.table(words["entries_sheet"], *_entries(dossier, words, language))
        writer.table(words["interest_sheet"], *_interest(dossier, words))
    return output.getvalue()


class _Writer:
    def __init__(self, book: Workbook, language: str) -> None:
        self.book = book
        self.bold = book.add_format({"bold": True, "bottom": 1})
        self.label = book.add_format({"bold": True, "valign": "top"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top", "align": "left"})
        self.money = book.add_format({"num_format": "#,##0.00"})
        self.day = book.add_format({"num_format": "dd/mm/yyyy" if language == "fr" else "yyyy-mm-dd"})

    def pairs(self, title: str, rows: Sequence[tuple[str, Cell]]) -> None:
        sheet = self.book.add_worksheet(title)
        for line, (label, cell) in enumerate(rows):
            sheet.write_string(line, 0, label, self.label)
            self._write(sheet, line, 1, cell, self.wrapped)
        sheet.set_column(0, 0, 46)
        sheet.set_column(1, 1, 60)

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        sheet = self.book.add_worksheet(title)
        for place, head in enumerate(heads):
            sheet.write_string(0, place, head, self.bold)
        for line, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                self._write(sheet, line, place, cell)
        for place, head in enumerate(heads):
            widest = max([len(head), *(len(str(row[place] or "")) for row in rows[:200])])
            sheet.set_column(place, place, min(60, widest + 3))
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(heads) - 1)

    def _write(self, sheet: Any, line: int, place: int, cell: Cell, plain: Any = None) -> None:
        match cell:
            case None:
                pass
            case Decimal():
                sheet.write_number(line, place, float(cell), self.money)
            case int():
                sheet.write_number(line, place, cell)
            case date():
                sheet.write_datetime(line, place, cell, self.day)
            case str():
                sheet.write_string(line, place, cell, plain)


def _client(dossier: Dossier, words: Any, language: str) -> list[tuple[str, Cell]]:
    page, person = dossier.page, dossier.person
    late = page["statement"]["late_interest"]
    rows: list[tuple[str, Cell]] = [
        (words["creditor"], dossier.sender.company_name),
        (words["date"], dossier.as_of),
        (words["code"], ", ".join(dossier.codes)),
        (words["name"], page["name"]),
        (words["address"], "\n".join(postal(person.get("address")))),
        (words["contact"], person.get("contact_name") or ""),
        (words["phones"], ", ".join(person.get("phones") or ())),
        (words["emails"], ", ".join(person.get("emails") or ())),
        (words["level"], page["level"] or ""),
        (words["currency"], page["currency"]),
        (words["overdue"], Decimal(page["overdue"])),
        (words["upcoming"], Decimal(page["upcoming"])),
        (words["amount_due"], Decimal(page["amount_due"])),
    ]
    if late["debtor"] == "business":
        on = f"{dossier.as_of:%d/%m/%Y}"
        rows += [
            (f"{words['interest'].format(on=on)} ({one['currency']})", Decimal(one["interest"]))
            for one in late["sums"]
        ]
        rows.append((f"{words['indemnity']} (EUR)", Decimal(late["indemnity"])))
        if late["provisional"]:
            rows.append(("", words["provisional"]))
    if page["statement"]["truncated"]:
        rows.append(("", words["truncated"]))
    return rows


def _entries(dossier: Dossier, words: Any, language: str) -> tuple[list[str], list[list[Cell]]]:
    names = ("piece", "kind", "date", "due", "late", "debit", "credit", "currency", "level", "lettering", "open")
    heads = [words[name] for name in (*names, "promise", "dispute", "documents")]
    rows: list[list[Cell]] = []
    for entry in dossier.entries:
        debit, credit = Decimal(entry["debit"]), Decimal(entry["credit"])
        promises = [f"{one['amount']} {one['currency']} {one['promised_on']}" for one in entry["promises"]]
        documents = [one.file_name for one in dossier.documents.get(entry["entry_id"], ())]
        rows.append(
            [
                entry["piece"],
                code(entry["kind"], language),
                date.fromisoformat(entry["entry_date"]),
                date.fromisoformat(entry["due_date"]),
                int(entry["days_late"]),
                debit or None,
                credit or None,
                entry["currency"],
                entry["level"],
                entry["lettering"],
                words["yes"] if entry["open"] else words["no"],
                "; ".join(promises),
                code(entry["dispute_reason"] or "", language),
                "; ".join(documents),
            ]
        )
    return heads, rows


def _interest(dossier: Dossier, words: Any) -> tuple[list[str], list[list[Cell]]]:
    names = (
        "piece",
        "due",
        "from_on",
        "to_on",
        "day_count",
        "balance",
        "rate",
        "period_interest",
        "currency",
        "fixed",
    )
    rows: list[list[Cell]] = []
    for claim in dossier.page["statement"]["late_interest"]["claims"]:
        fixed: Decimal | None = Decimal(claim["indemnity"])
        for period in claim["periods"]:
            rows.append(
                [
                    claim["piece"],
                    date.fromisoformat(claim["due_date"]),
                    date.fromisoformat(period["from_on"]),
                    date.fromisoformat(period["to_on"]),
                    int(period["days"]),
                    Decimal(period["balance"]),
                    Decimal(period["rate"]),
                    Decimal(period["interest"]),
                    claim["currency"],
                    fixed,
                ]
            )
            fixed = None  # once per invoice
    return [words[name] for name in names], rows
