"""Bytes to numbered lines of text: encoding, byte order mark, line ends, damage."""

import codecs
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
_SMALLEST_UTF16 = 128
DOUBLED_END = b"\r\r\n"
"""What a CRLF becomes when a text is transferred as a text twice."""
_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_KINDS = {
    b"PK\x03\x04": "XLSX or ZIP",
    b"\xd0\xcf\x11\xe0": "XLS",
    b"%PDF": "PDF",
    b"\x1f\x8b": "GZIP",
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
        self.written_in = "utf-8"
        """The encoding of the file; ``encoding`` is the one of its blocks, which UTF-16 reaches as UTF-8."""
        self.crlf = False
        self._utf16: str | None = None
        self._mac = False
        self._doubled = False
        self.separator = "\t"
        self.column_names: tuple[str, ...] = ("JournalCode",)
        self.ends_with_newline = True

    def begin(self) -> str | None:
        """The header line, or None when this is no text file (said in the findings)."""
        with self._path.open("rb") as file:
            head = file.read(BLOCK)
        self._utf16 = _utf16(head)
        head = next(self._raw(), b"")
        if not head.removeprefix(encoding.UTF8_BOM).strip(b"\x1a\r\n\t "):
            self._findings.fatal(1, "JournalCode", "file_empty")
            return None
        kind = next((kind for mark, kind in _KINDS.items() if head.startswith(mark)), None)
        if kind or b"\x00" in head:
            self._findings.fatal(1, "JournalCode", "not_a_fec", kind=kind or "binary")
            return None
        self._mac = b"\n" not in head and head.count(b"\r") > 1
        if self._mac:
            head = head.replace(b"\r", b"\n")
        self.encoding = encoding.decide(self._blocks)
        header, newline, _ = head.removeprefix(encoding.UTF8_BOM).partition(b"\n")
        self._doubled = header.endswith(b"\r\r")
        self.crlf = bool(newline) and header.endswith(b"\r")
        self.written_in = self._utf16 or self.encoding
        return header.rstrip(b"\r").decode(self.encoding, errors="replace")

    def _blocks(self) -> Iterator[bytes]:
        """Blocks that end at a line end, without the byte order mark."""
        rest = b""
        first = True
        for raw in self._raw():
            block = raw.removeprefix(encoding.UTF8_BOM) if first else raw
            first = False
            if self._mac:
                block = block.replace(b"\r", b"\n")
            whole, newline, after = block.rpartition(b"\n")
            if newline:
                lines = rest + whole + newline
                yield lines.replace(DOUBLED_END, b"\r\n") if self._doubled else lines
                rest = after
            else:
                rest += block
        if rest:
            yield rest

    def _raw(self) -> Iterator[bytes]:
        """The content as it is, UTF-16 as UTF-8."""
        with self._path.open("rb") as file:
            if self._utf16 is None:
                while block := file.read(BLOCK):
                    yield block
                return
            decoder = codecs.getincrementaldecoder(self._utf16)("replace")
            while block := file.read(BLOCK):
                yield decoder.decode(block).encode(errors="replace")
            yield decoder.decode(b"", final=True).encode(errors="replace")

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
            damaged = damaged or (self._utf16 is not None and REPLACEMENT in text)
            end = "\n"
            if self.crlf:
                uniform = text.count("\r") == text.count("\n") == text.count("\r\n")
                end = "\r\n" if uniform else end
            else:
                uniform = "\r" not in text
            lines = text.split(end)
            if not lines[-1]:
                lines.pop()
            if not uniform:
                self._mend_ends(number, lines)
            yield Group(number, lines, damaged, self._is_padded(text, block))
            number += len(lines)

    def _is_padded(self, text: str, block: bytes) -> bool:
        """Whether a blank stands beside a separator or the end of a line. ``block`` is the text as bytes."""
        separator = self.separator
        rare = [blank for blank in BLANKS if blank not in (" ", separator) and blank in text]
        if text[:1] in BLANKS or any(
            pair in text
            for blank in rare
            for mark in (separator, "\n", "\r")
            for pair in (blank + mark, mark + blank)
        ):
            return True
        # one sign for every end of a field, so that a block is looked through twice and not six times
        end = separator.encode()
        ends = block.translate(bytes.maketrans(b"\n\r", end * 2))
        return b" " + end in ends or end + b" " in ends

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


def _utf16(head: bytes) -> str | None:
    """The name of the UTF-16 that a content begins in: by its mark, or by the zero beside every letter."""
    named = _UTF16_MARKS.get(head[:2])
    if named:
        return named
    if len(head) >= _SMALLEST_UTF16 and head[1::2][:64].count(0) > 48:
        return "utf-16-le"
    if len(head) >= _SMALLEST_UTF16 and head[0::2][:64].count(0) > 48:
        return "utf-16-be"
    return None
