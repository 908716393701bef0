"""Lists as files that a spreadsheet opens: CSV with semicolons and a byte order mark, and XLSX."""

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook

from services.reporting.shapes import (
    Activities,
    Debtor,
    Disputes,
    DueItems,
    ExpectedEntries,
    Payers,
    Promises,
    Receipts,
    Slice,
    WhoOwesWhat,
    exact,
)

Table = WhoOwesWhat | Activities | Promises | Disputes | Receipts | DueItems | ExpectedEntries | Payers
Cell = str | bool | int | Decimal | date | datetime | None
Column = tuple[str, Callable[[Any], Cell]]

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be run as a formula."""

FRENCH = {
    "client_id": "Code",
    "name": "Client",
    "profile": "Profil",
    "category": "Catégorie",
    "payment_mode": "Mode de règlement",
    "salesperson": "Commercial",
    "level": "Niveau",
    "last_reminder_on": "Dernière relance",
    "stopped_on": "Stoppé le",
    "overdue": "En retard",
    "upcoming": "À venir",
    "total": "Total",
    "notes": "Notes",
    "on": "Date",
    "kind": "Type",
    "medium": "Média",
    "step": "Étape",
    "status": "Statut",
    "detail": "Détail",
    "actor": "Acteur",
    "amount": "Montant",
    "currency": "Devise",
    "pieces": "Pièces",
    "piece": "N° pièce",
    "promised_on": "Date promise",
    "days_late": "Jours de retard",
    "recorded_on": "Saisie le",
    "nature": "Nature",
    "due_date": "Échéance",
    "due_since": "À faire depuis",
    "reason": "Motif",
    "opened_on": "Ouvert le",
    "opened_by": "Ouvert par",
    "days_open": "Jours ouverts",
    "closed_on": "Clos le",
    "due": "Somme due",
    "automatic": "Relance automatique",
    "expected_on": "Attendu le",
    "moved": "Repositionnée",
    "score": "Score",
    "average_delay_days": "Retard moyen (jours)",
    "settled": "Réglé",
}
ENGLISH = {
    "client_id": "Code",
    "name": "Client",
    "profile": "Profile",
    "category": "Category",
    "payment_mode": "Payment mode",
    "salesperson": "Sales person",
    "level": "Level",
    "last_reminder_on": "Last reminder",
    "stopped_on": "Stopped on",
    "overdue": "Overdue",
    "upcoming": "Upcoming",
    "total": "Total",
    "notes": "Notes",
    "on": "Date",
    "kind": "Kind",
    "medium": "Medium",
    "step": "Step",
    "status": "Status",
    "detail": "Detail",
    "actor": "Actor",
    "amount": "Amount",
    "currency": "Currency",
    "pieces": "Pieces",
    "piece": "Piece",
    "promised_on": "Promised on",
    "days_late": "Days late",
    "recorded_on": "Recorded on",
    "nature": "Nature",
    "due_date": "Due date",
    "due_since": "Due since",
    "reason": "Reason",
    "opened_on": "Opened on",
    "opened_by": "Opened by",
    "days_open": "Days open",
    "closed_on": "Closed on",
    "due": "Amount due",
    "automatic": "Automatic reminder",
    "expected_on": "Expected on",
    "moved": "Moved",
    "score": "Score",
    "average_delay_days": "Average delay (days)",
    "settled": "Settled",
}
FIELDS: dict[type[Any], tuple[str, ...]] = {
    Activities: (
        "on",
        "client_id",
        "name",
        "kind",
        "medium",
        "step",
        "status",
        "detail",
        "pieces",
        "actor",
        "amount",
        "currency",
    ),
    Promises: (
        "client_id",
        "name",
        "level",
        "overdue",
        "piece",
        "promised_on",
        "days_late",
        "amount",
        "currency",
        "status",
        "recorded_on",
    ),
    Disputes: (
        "client_id",
        "name",
        "level",
        "piece",
        "reason",
        "opened_on",
        "days_open",
        "closed_on",
        "amount",
        "due",
    ),
    Receipts: ("on", "client_id", "name", "nature", "payment_mode", "piece", "level", "amount"),
    ExpectedEntries: (
        "expected_on",
        "client_id",
        "name",
        "piece",
        "due_date",
        "days_late",
        "moved",
        "level",
        "amount",
    ),
    Payers: ("client_id", "name", "score", "average_delay_days", "settled", "overdue"),
    DueItems: (
        "client_id",
        "name",
        "piece",
        "due_date",
        "days_late",
        "step",
        "medium",
        "due_since",
        "level",
        "automatic",
        "amount",
        "currency",
    ),
}
YES_AND_NO = {"fr": ("oui", "non"), "en": ("yes", "no")}
BEFORE_SLICES = (
    "client_id",
    "name",
    "profile",
    "category",
    "payment_mode",
    "salesperson",
    "stopped_on",
    "level",
    "last_reminder_on",
)
AFTER_SLICES = ("overdue", "upcoming", "total", "notes")


def _field(name: str) -> Callable[[Any], Cell]:
    if name == "pieces":
        return lambda row: ", ".join(piece.piece or piece.entry_id for piece in row.pieces)

    if name == "salesperson":
        return lambda row: row.salesperson.name if row.salesperson else None

    def value(row: Any) -> Cell:
        cell: Cell = getattr(row, name)
        return cell

    return value


def _slice_heading(part: Slice, language: str) -> str:
    if part.to_days is None:
        return f"Plus de {part.from_days - 1} j" if language == "fr" else f"Over {part.from_days - 1} days"
    return (
        f"{part.from_days} à {part.to_days} j" if language == "fr" else f"{part.from_days} to {part.to_days} days"
    )


def _slice_value(place: int) -> Callable[[Debtor], Cell]:
    return lambda row: row.slices[place]


def _field_value(field: str) -> Callable[[Debtor], Cell]:
    return lambda row: row.fields.get(field)


def columns(table: Table, language: str) -> list[Column]:
    """Heading and value of every column."""
    words = FRENCH if language == "fr" else ENGLISH
    if not isinstance(table, WhoOwesWhat):
        return [(words[name], _field(name)) for name in FIELDS[type(table)]]
    aged = [(_slice_heading(part, language), _slice_value(n)) for n, part in enumerate(table.slices)]
    before = [(words[name], _field(name)) for name in BEFORE_SLICES]
    before += [(one.title, _field_value(one.field)) for one in table.fields]
    return [*before, *aged, *((words[name], _field(name)) for name in AFTER_SLICES)]


def _written(cell: Cell, language: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return YES_AND_NO[language][0 if cell else 1]
    if isinstance(cell, Decimal):
        return exact(cell).replace(".", ",") if language == "fr" else exact(cell)
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y") if language == "fr" else cell.isoformat()
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(DANGEROUS) else text


def csv_file(table: Table, language: str) -> bytes:
    """UTF-8 with a byte order mark, semicolons, decimal comma in French: what spreadsheets here open as it is."""
    shown = columns(table, language)
    output = io.StringIO()
    writer = csv.writer(output, delimiter=";", lineterminator="\r\n")
    writer.writerow(_written(heading, language) for heading, _ in shown)
    for row in table.rows:
        writer.writerow(_written(value(row), language) for _, value in shown)
    return b"\xef\xbb\xbf" + output.getvalue().encode()


def _widths(shown: Sequence[Column], rows: Sequence[Any]) -> list[int]:
    sample = rows[:200]
    return [
        min(40, max([len(heading), *(len(_written(value(row), "fr")) for row in sample)]) + 2)
        for heading, value in shown
    ]


def xlsx_file(table: Table, language: str) -> bytes:
    """One sheet with a frozen heading, filters, real dates and real numbers."""
    shown = columns(table, language)
    output = io.BytesIO()
    with Workbook(output, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True, "bottom": 1})
        money = book.add_format({"num_format": "#,##0.00"})
        day = book.add_format({"num_format": "dd/mm/yyyy" if language == "fr" else "yyyy-mm-dd"})
        for place, (heading, _) in enumerate(shown):
            sheet.write_string(0, place, heading, bold)
        for line, row in enumerate(table.rows, start=1):
            for place, (_, value) in enumerate(shown):
                match value(row):
                    case None:
                        pass
                    case Decimal() as amount:
                        sheet.write_number(line, place, float(amount), money)
                    case bool() as truth:
                        sheet.write_string(line, place, _written(truth, language))
                    case int() as number:
                        sheet.write_number(line, place, number)
                    case date() as on:
                        sheet.write_datetime(line, place, on, day)
                    case str() as words:
                        sheet.write_string(line, place, words)
        for place, width in enumerate(_widths(shown, table.rows)):
            sheet.set_column(place, place, width)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(table.rows)), len(shown) - 1)
    return output.getvalue()
