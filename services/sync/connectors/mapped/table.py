"""A CSV file or a workbook as numbered rows of texts."""

import codecs
import csv
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from io import SEEK_END, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile, is_zipfile

from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from services.sync.connectors import encoding

Row = tuple[int, list[str]]
"""(line of the file, cells). A record that holds line ends counts from its first line."""

BLOCK = 1 << 19
SEPARATORS = (";", ",", "\t", "|")
SEPARATOR_NAMES = {"\t": "TAB", ";": ";", ",": ",", "|": "|"}
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
OTHER_KINDS = {b"%PDF": "PDF", b"\x1f\x8b": "GZIP", b"<?xml": "XML", b"{": "JSON"}
LOOKED_AT = 200
MOST_UNPACKED = 512 << 20
"""Bytes of a workbook's parts together: some ten million cells."""
UNPACKABLE = (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TableUnreadable(Exception):
    """The file is no table; ``code`` names why, ``details`` fill its wording."""

    def __init__(self, code: str, line: int = 1, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.line = line
        self.details = details


class Table:
    """The rows of one file, whatever it is written in. Rows stream out of a CSV file; a workbook is decoded by its
    library as a whole."""

    def __init__(self, path: Path, separator: str | None = None, sheet: str | None = None) -> None:
        self._path = path
        with path.open("rb") as file:
            head = file.read(BLOCK)
        if not head.strip(b"\x00\xff\xfe\r\n\t \xef\xbb\xbf"):
            raise TableUnreadable("file_empty")
        self.is_workbook = head.startswith(WORKBOOKS)
        self.sheets: list[str] = []
        self.sheet: str | None = None
        self.encoding = "xlsx"
        self.separator: str | None = None
        if self.is_workbook:
            self._open_workbook(sheet)
            return
        kind = next((kind for mark, kind in OTHER_KINDS.items() if head.startswith(mark)), None)
        wide = head.startswith(UTF16_MARKS)
        if kind or (b"\x00" in head and not wide):
            raise TableUnreadable("not_a_table", kind=kind or "binary")
        self.encoding = "utf-16" if wide else encoding.decide(self._blocks)
        named = "\t" if separator == "TAB" else separator
        self.separator = named or self._likely_separator(head)

    def _open_workbook(self, sheet: str | None) -> None:
        try:
            _refuse_bomb(self._path)
            self._workbook = CalamineWorkbook.from_path(str(self._path))
            self.sheets = list(self._workbook.sheet_names)
            self.sheet = sheet or next(iter(self.sheets), "")
            self._sheet = self._workbook.get_sheet_by_name(self.sheet)
        except WorksheetNotFound as missing:
            raise TableUnreadable("sheet_missing", sheet=sheet or "", sheets=", ".join(self.sheets)) from missing
        except (CalamineError, *UNPACKABLE, OSError, ValueError) as damaged:
            raise TableUnreadable("workbook_unreadable", error=str(damaged)[:200]) from damaged

    def _blocks(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            if file.read(len(encoding.UTF8_BOM)) != encoding.UTF8_BOM:
                file.seek(0)
            while block := file.read(BLOCK):
                yield block

    def _likely_separator(self, head: bytes) -> str:
        """The separator that most lines of the beginning agree on."""
        text = head.decode(self.encoding, errors="replace").removeprefix("\ufeff")
        lines = [line for line in text.splitlines()[:LOOKED_AT] if line.strip()]

        def agreed(separator: str) -> tuple[int, int]:
            try:
                widths = [len(row) for row in csv.reader(lines, delimiter=separator, strict=True)]
            except csv.Error:
                # a stray quotation mark would swallow the lines that tell the separator
                widths = [len(row) for line in lines for row in csv.reader([line], delimiter=separator)]
            usual = max(set(widths), key=widths.count)
            return (widths.count(usual) * (usual > 1), usual)

        try:
            return max(SEPARATORS, key=agreed)
        except csv.Error:
            return max(SEPARATORS, key=lines[0].count)

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank. Raises ``TableUnreadable`` at a row that cannot be told from the next."""
        return self._sheet_rows() if self.is_workbook else self._text_rows()

    def _text_rows(self) -> Iterator[Row]:
        name = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        with self._path.open("rb") as file:
            text = TextIOWrapper(cast("BinaryIO", file), encoding=name, errors="replace", newline="")
            # a quotation mark that opens a cell by mistake would swallow rows without a word
            reader = csv.reader(text, delimiter=self.separator or ",", strict=True)
            begins = 1
            while True:
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise TableUnreadable("row_unreadable", begins, error=str(error)) from error
                if any(cells):
                    yield begins, cells
                begins = reader.line_num + 1

    @property
    def ends_open(self) -> bool:
        """The last line of a text has no line end: it may have been cut off."""
        if self.is_workbook:
            return False
        with self._path.open("rb") as file:
            file.seek(-min(4, self._path.stat().st_size), SEEK_END)
            return not file.read().rstrip(b"\x00").endswith((b"\n", b"\r"))

    def _sheet_rows(self) -> Iterator[Row]:
        start = self._sheet.start
        if start is None:
            return
        # the library's iterator begins at the first row of the sheet, filled or not
        for number, cells in enumerate(self._sheet.iter_rows(), 1):
            texts = [_as_text(cell) for cell in cells]
            if any(texts):
                yield number, texts


def _refuse_bomb(path: Path) -> None:
    """A workbook is decoded as a whole, and a few kilobytes can unpack to more than there is memory: unpack it
    once into nothing, since the sizes it tells of itself may be wrong."""
    if not is_zipfile(path):
        return
    left = MOST_UNPACKED
    with ZipFile(path) as archive:
        for part in archive.infolist():
            part.file_size = MOST_UNPACKED + 2 * BLOCK
            with archive.open(part) as content:
                while left >= 0 and (block := content.read(BLOCK)):
                    left -= len(block)
            if left < 0:
                raise TableUnreadable("workbook_too_large", most=str(MOST_UNPACKED >> 20))


def _as_text(cell: object) -> str:
    """A cell of a workbook as a CSV file would hold it: dates in ISO form, numbers with a point."""
    text = str(cell)
    match cell:
        case bool():
            text = text.lower()
        case datetime():
            text = cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
        case date():
            text = cell.isoformat()
        case float():
            text = f"{round(cell, 6):f}".rstrip("0").rstrip(".")
    return text


def header_of(rows: Iterable[Row], header_row: int) -> tuple[list[str], int]:
    """The names of the columns, trimmed, and the line they stand on. Raises ``TableUnreadable``."""
    for number, cells in rows:
        if number >= header_row:
            names = [cell.strip().removeprefix("\ufeff") for cell in cells]
            while names and not names[-1]:
                names.pop()
            return names, number
    raise TableUnreadable("header_missing", header_row, row=str(header_row))
