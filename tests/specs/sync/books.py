"""Small FEC files with invented names, written in any dialect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.sync.connectors import Rules
from services.sync.connectors.fec import Fec
from services.sync.connectors.fec.columns import LEGAL
from services.sync.connectors.fec.reader import FecReading
from services.sync.domain.lines import Line

Row = dict[str, str]


def row(**cells: str) -> Row:
    """A line; cells not given are empty."""
    return {name: cells.get(name, "") for name in LEGAL} | cells


def invoice(
    number: int, client: str = "C1", amount: str = "120,00", day: str = "20260310", **cells: str
) -> list[Row]:
    """A balanced sales entry: the customer's debit and its counterpart."""
    sale = {
        "JournalCode": "VE", "JournalLib": "Ventes", "EcritureNum": f"VE{number:04d}", "EcritureDate": day,
        "PieceRef": f"F{number:04d}", "PieceDate": day, "EcritureLib": f"Façade à crépi n° {number}",
        "ValidDate": day,
    }  # fmt: skip
    name = f"Ébénisterie {client}"
    third = {"CompteNum": "411000", "CompteLib": "Clients", "CompAuxNum": client, "CompAuxLib": name}
    return [
        row(**{**sale, **third, "Debit": amount, "Credit": "0,00", **cells}),
        row(**{**sale, "CompteNum": "706000", "CompteLib": "Prestations", "Debit": "0,00", "Credit": amount}),
    ]


def payment(
    number: int, client: str = "C1", amount: str = "120,00", day: str = "20260412", **cells: str
) -> list[Row]:
    """A balanced bank entry: the customer's credit and its counterpart."""
    receipt = {
        "JournalCode": "BQ", "JournalLib": "Banque", "EcritureNum": f"BQ{number:04d}", "EcritureDate": day,
        "PieceRef": f"V{number:04d}", "PieceDate": day, "EcritureLib": "Règlement reçu", "ValidDate": day,
    }  # fmt: skip
    name = f"Ébénisterie {client}"
    third = {"CompteNum": "411000", "CompteLib": "Clients", "CompAuxNum": client, "CompAuxLib": name}
    return [
        row(**{**receipt, **third, "Debit": "0,00", "Credit": amount, **cells}),
        row(**{**receipt, "CompteNum": "512000", "CompteLib": "Banque", "Debit": amount, "Credit": "0,00"}),
    ]


def book(invoices: int = 40) -> list[Row]:
    """Invoices of five clients, every other one paid and lettered."""
    rows: list[Row] = []
    for number in range(1, invoices + 1):
        client, amount, code = f"C{number % 5}", f"{100 + number},50", f"A{number}" if number % 2 else ""
        lettered = {"EcritureLet": code, "DateLet": "20260412" if code else ""}
        rows += invoice(number, client, amount, **lettered)
        if code:
            rows += payment(number, client, amount, **lettered)
    return rows


@dataclass(frozen=True)
class Writing:
    """How a file is written."""

    encoding: str = "utf-8"
    separator: str = "\t"
    end: str = "\r\n"
    columns: Sequence[str] = LEGAL
    header: Callable[[str], str] = str
    cell: Callable[[str, str], str] = field(default=lambda column, text: text)
    last_end: bool = True

    def bytes(self, rows: Sequence[Row]) -> bytes:
        lines = [self.separator.join(self.header(column) for column in self.columns)]
        lines += [
            self.separator.join(self.cell(column, one.get(column, "")) for column in self.columns) for one in rows
        ]
        text = self.end.join(lines) + (self.end if self.last_end else "")
        return text.encode(self.encoding)

    def but(self, **changes: object) -> "Writing":
        return replace(self, **changes)  # type: ignore[arg-type]


def read(folder: Path, content: bytes, rules: Rules | None = None) -> tuple[FecReading, list[Line]]:
    """Read a whole file; answer the reading and its customer lines."""
    path = folder / "book.txt"
    path.write_bytes(content)
    reading = Fec().open(path, rules or Rules())
    lines = [line for batch in reading.batches() for line in batch]
    return reading, lines


def codes(problems: Sequence[object]) -> list[tuple[int, str, str]]:
    """(line, column, code) of problems."""
    return [(problem.line, problem.column, problem.code) for problem in problems]  # type: ignore[attr-defined]
