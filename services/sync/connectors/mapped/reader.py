"""A mapped file read as a stream: every row is checked; lines of entries, or clients and contacts, come out."""

import re
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from services.sync.connectors import Read, Rules
from services.sync.connectors.mapped.entries import EntryRows
from services.sync.connectors.mapped.mapping import FIELDS, Mapping, folded
from services.sync.connectors.mapped.people import ClientRows, ContactRows
from services.sync.connectors.mapped.table import SEPARATOR_NAMES, Row, Table, TableUnreadable, header_of
from services.sync.domain.lines import Line
from services.sync.domain.problems import Findings, Verdict

BATCH_LINES = 4_000
REPLACEMENT = "\ufffd"
_UNWANTED = re.compile(f"[\x00-\x1f\x7f{REPLACEMENT}]")
"""Control characters, line ends inside a cell among them, and what could not be decoded."""


class MappedReading:
    """See ``services.sync.connectors.Reading``."""

    def __init__(self, path: Path, rules: Rules, name: str, mapping: Mapping) -> None:
        self._path = path
        self._rules = rules
        self._mapping = mapping
        self._findings = Findings(rules.accepted)
        self._width = 0
        self._needed = 0
        self._separator = ""
        self._last = (1, 0)
        self.read = Read(
            book=f"mapped/{name}",
            keeps_missing=mapping.missing == "keep",
            lists_clients=mapping.holds == "clients",
            holds=mapping.holds,
        )

    def verdict(self) -> Verdict:
        """Errors and warnings; complete after the last batch."""
        return self._findings.judge(self.read.lines)

    def batches(self) -> Iterator[list[Line]]:
        """Lines in the order of the file; empty batches while clients or contacts are read. After a fatal problem
        the rest is checked, not answered."""
        try:
            table = Table(self._path, self._mapping.separator, self._mapping.sheet)
            self.read.encoding = table.encoding
            rows = table.rows()
            names, _ = header_of(rows, self._mapping.header_row)
            if self._begin(names, table):
                yield from self._read(rows)
                if table.ends_open:
                    self._refuse_cut_row()
        except TableUnreadable as unreadable:
            self._findings.fatal(unreadable.line, "", unreadable.code, **unreadable.details)

    def _begin(self, names: list[str], table: Table) -> bool:
        """Find the mapped columns. False when one is missing, since no row can be read then."""
        self._names = names
        self._width = len(names)
        self._separator = table.separator or ""
        wanted = {*self._mapping.columns.values(), *self._mapping.only}
        sound = True
        for name in sorted(wanted):
            count = names.count(name)
            if count == 1:
                continue
            sound = False
            known = ", ".join(names[:30])
            code = "column_twice" if count else "column_missing"
            separator = SEPARATOR_NAMES.get(table.separator or "", "")
            self._findings.fatal(
                self._mapping.header_row, name, code, column=name, columns=known, separator=separator
            )
        if not sound:
            return False
        self._needed = 1 + max(map(names.index, wanted))
        constants = sorted(self._mapping.constants)
        self._tail = [*(self._mapping.constants[field] for field in constants), ""]
        absent = self._width + len(constants)
        places = {
            field: names.index(self._mapping.columns[field])
            if field in self._mapping.columns
            else (self._width + constants.index(field) if field in constants else absent)
            for field in FIELDS[self._mapping.holds]
        }
        self._of_fields = itemgetter(*places.values())
        self._kept = [(names.index(name), {*map(folded, words)}) for name, words in self._mapping.only.items()]
        return True

    def _read(self, rows: Iterator[Row]) -> Iterator[list[Line]]:
        taken = self._taker()
        batch: list[Line] = []
        rows_seen = 0
        for number, cells in rows:
            self.read.lines += 1
            rows_seen += 1
            self._last = number, len(cells)
            fitting = self._fitting(number, cells)
            if fitting is not None and all(folded(fitting[place]) in words for place, words in self._kept):
                batch += taken.take(number, self._of_fields(fitting))
            if rows_seen >= BATCH_LINES:
                yield [] if self._findings.is_fatal else batch
                batch, rows_seen = [], 0
        if not self.read.lines:
            self._findings.fatal(self._mapping.header_row, "", "no_rows")
        if batch and not self._findings.is_fatal:
            yield batch

    def _taker(self) -> "EntryRows | ClientRows | ContactRows":
        match self._mapping.holds:
            case "entries":
                return EntryRows(self._mapping, self._rules, self._findings, self.read)
            case "clients":
                return ClientRows(self._mapping, self._rules, self._findings, self.read)
            case "contacts":
                return ContactRows(self._mapping, self._rules, self._findings, self.read)

    def _fitting(self, number: int, cells: list[str]) -> list[str] | None:
        """The cells of a row, as many as the header has, and the constants behind them; None when they do not fit,
        or hold characters that were lost. Only cells that nothing is read from may be missing at the end."""
        width = self._width
        if len(cells) != width:
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                found = str(len(cells))
                self._findings.fatal(number, "", "cells_too_many", found=found, expected=str(width))
                return None
            if len(cells) < self._needed:
                self._miss_cells(number, len(cells))
                return None
            cells = [*cells[:width], *[""] * (width - len(cells))]
        if _UNWANTED.search("".join(cells)) is None:
            return cells + self._tail
        if self._separator and self._are_rows(cells):
            error = "cells hold whole lines of the file"
            self._findings.fatal(number, "", "row_unreadable", error=error)
            return None
        for place, cell in enumerate(cells):
            if REPLACEMENT in cell:
                self._findings.fatal(
                    number, self._names[place], "character_undecodable", encoding=self.read.encoding
                )
                return None
        return [_UNWANTED.sub(" ", cell) for cell in cells] + self._tail

    def _are_rows(self, cells: list[str]) -> bool:
        """A record of several lines, each of which is a row by itself: two cells that begin or end with a
        quotation mark were taken for one quoted cell, and the rows between them would be lost."""
        lines = self._separator.join(cells).splitlines()
        return len(lines) > 1 and all(line.count(self._separator) + 1 == self._width for line in lines)

    def _miss_cells(self, number: int, found: int) -> None:
        self._findings.fatal(number, "", "cells_missing", found=str(found), expected=str(self._width))

    def _refuse_cut_row(self) -> None:
        """A short last line without line end was cut off, whatever its missing cells hold: lines behind it may be
        missing too, and would be archived."""
        number, found = self._last
        if self._needed <= found < self._width:
            self._miss_cells(number, found)
