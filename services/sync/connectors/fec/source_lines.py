"""Bytes to numbered lines of text: encoding, byte order mark, line ends, damage."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.sync.connectors import encoding
from services.sync.domain.problems import Findings

BLOCK = 1 << 19
BLANKS = " \t\u00a0"
DOS_END = b"\x1a"
REPLACEMENT = "\ufffd"
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_KINDS = {
    b"PK\x03\x04": "XLSX or ZIP",
    b"\xd0\xcf\x11\xe0": "XLS",
    b"%PDF": "PDF",
    b"\x1f\x8b": "GZIP",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"<?xml": "XML",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive lines without their ends; ``first`` is the number of the first."""

    first: int
    lines: list[str]
    damaged: bool
    """Some hold bytes that are not in the file's encoding, replaced by U+FFFD."""
    padded: bool
    """Some field may begin or end with a blank."""


class SourceLines:
    """The lines of one file, the header first. Call ``begin`` before iterating."""

    def __init__(self, path: Path, findings: Findings) -> None:
        self._path = path
        self._findings = findings
        self.encoding = "utf-8"
        self.crlf = False
        self.separator = "\t"
        self.column_names: tuple[str, ...] = ("JournalCode",)
        self.ends_with_newline = True

    def begin(self) -> str | None:
        """The header line, or None when this is no text file (said in the findings)."""
        with self._path.open("rb") as file:
            head = file.read(BLOCK)
        if not head.removeprefix(encoding.UTF8_BOM).strip(b"\x1a\r\n\t "):
            self._findings.fatal(1, "JournalCode", "file_empty")
            return None
        kind = next((kind for mark, kind in _KINDS.items() if head.startswith(mark)), None)
        if kind or b"\x00" in head:
            self._findings.fatal(1, "JournalCode", "not_a_fec", kind=kind or "binary")
            return None
        self.encoding = encoding.decide(self._blocks)
        header, newline, _ = head.removeprefix(encoding.UTF8_BOM).partition(b"\n")
        self.crlf = bool(newline) and header.endswith(b"\r")
        return header.rstrip(b"\r").decode(self.encoding, errors="replace")

    def _blocks(self) -> Iterator[bytes]:
        """Blocks that end at a line end, without the byte order mark."""
        rest = b""
        with self._path.open("rb") as file:
            if file.read(len(encoding.UTF8_BOM)) != encoding.UTF8_BOM:
                file.seek(0)
            while block := file.read(BLOCK):
                whole, newline, after = block.rpartition(b"\n")
                if newline:
                    yield rest + whole + newline
                    rest = after
                else:
                    rest += block
        if rest:
            yield rest

    def groups(self) -> Iterator[Group]:
        """The lines, block by block."""
        number = 1
        for block in self._blocks():
            if block.endswith(DOS_END):
                block = block.rstrip(DOS_END)  # noqa: PLW2901 the mark with which DOS ended its texts
            self.ends_with_newline = block.endswith(b"\n") or not block
            if len(block.translate(None, _CONTROLS)) < len(block):
                block = self._without_controls(number, block)  # noqa: PLW2901
            damaged = False
            try:
                text = block.decode(self.encoding)
            except UnicodeDecodeError:
                text, damaged = block.decode(self.encoding, errors="replace"), True
            if self.crlf:
                uniform = text.count("\r") == text.count("\n") == text.count("\r\n")
                text = text.replace("\r\n", "\n") if uniform else text
            else:
                uniform = "\r" not in text
            lines = text.split("\n")
            if not lines[-1]:
                lines.pop()
            if not uniform:
                self._mend_ends(number, lines)
            yield Group(number, lines, damaged, self._is_padded(text))
            number += len(lines)

    def _is_padded(self, text: str) -> bool:
        separator = self.separator
        return (
            any(
                pair in text
                for blank in BLANKS
                if blank != separator and (blank == " " or blank in text)
                for pair in (blank + separator, separator + blank, "\n" + blank, blank + "\n")
            )
            or text[:1] in BLANKS
        )

    def _without_controls(self, number: int, block: bytes) -> bytes:
        for offset, line in enumerate(block.split(b"\n")):
            if found := _CONTROL.search(line):
                place = line[: found.start()].count(self.separator.encode())
                self._findings.fatal(
                    number + offset,
                    self.column_names[min(place, len(self.column_names) - 1)],
                    "control_character",
                    byte=f"{found[0][0]:02X}",
                )
        return _CONTROL.sub(b" ", block)

    def _mend_ends(self, number: int, lines: list[str]) -> None:
        last = len(lines) - 1
        for offset, line in enumerate(lines):
            ended = line.endswith("\r")
            if ended or "\r" in line:
                lines[offset] = line.removesuffix("\r").replace("\r", " ")
            if "\r" in line[:-1] or (ended != self.crlf and (offset != last or self.ends_with_newline)):
                self._findings.tolerable(
                    number + offset,
                    self.column_names[-1],
                    "line_ends_mixed",
                    found="CRLF" if ended else "LF",
                    expected="CRLF" if self.crlf else "LF",
                )
