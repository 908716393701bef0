"""A text as people write it, read into lines and paragraphs: marked plain text, or the clean HTML of the editor.

Plain text knows ``**bold**``, paragraphs between empty lines, and tags. HTML knows what ``CLEAN`` lists; nh3 takes
everything else out, and what is written back is made anew from what was read, so that nothing passes that this
module does not know.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from html.parser import HTMLParser
from itertools import groupby
from typing import Literal

import nh3
from markupsafe import escape

from services.notify.tags import BLOCK_TAGS

Form = Literal["text", "html"]
Style = Literal["text", "heading", "quote", "bullet", "number"]

_TAG = re.compile(r"%%|%([^\s%<>\"'{}]{1,40})%")
_TAG_OR_BOLD = re.compile(rf"{_TAG.pattern}|\*\*")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SPACES = re.compile(r"[ \t\r\n\u00a0]+")
_KEPT_TOGETHER = re.compile(r" (?=[?!:;»€]|%(?![^ ]))|(?<=«) ")
"""Where French text does not break; an editor writes such spaces, and others, as it likes."""

_INLINE = {"strong": "bold", "b": "bold", "em": "italic", "i": "italic", "u": "underline"}
_STYLES: dict[str, Style] = {"h1": "heading", "h2": "heading", "h3": "heading", "blockquote": "quote"}
_LISTS: dict[str, Style] = {"ul": "bullet", "ol": "number"}
CLEAN = frozenset({*_INLINE, *_STYLES, *_LISTS, "a", "br", "div", "li", "p"})
"""The elements that a text may hold; of attributes ``href`` alone."""
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
LONGEST_LINK = 2000


@dataclass(frozen=True, slots=True)
class Marks:
    """How a stretch looks. ``link`` is an address, empty for none."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    link: str = ""


PLAIN = Marks()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one line; ``percent`` is a percent sign that was written twice. ``column`` counts from 1."""

    kind: Literal["text", "percent", "tag"]
    value: str
    column: int
    marks: Marks = PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """One line as its writer sees it; ``number`` counts from 1, empty lines included."""

    number: int
    pieces: tuple[Piece, ...]
    style: Style = "text"

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(piece.value for piece in self.pieces if piece.kind == "tag")

    @property
    def is_blank(self) -> bool:
        return not any(piece.kind != "text" or piece.value.strip() for piece in self.pieces)

    @property
    def block(self) -> str | None:
        """The block tag that this line stands for, if it holds nothing else and is no item of a list."""
        said = [piece for piece in self.pieces if piece.kind != "text" or piece.value.strip()]
        alone = len(said) == 1 and said[0].kind == "tag" and said[0].value in BLOCK_TAGS
        return said[0].value if alone and self.style == "text" else None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that stand together; one item, where the style is a list's."""

    style: Style
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A table or a button, between paragraphs."""

    tag: str


Part = Paragraph | Block


@dataclass(frozen=True)
class Manuscript:
    """``lines`` are all, for who looks for mistakes; ``parts`` what is shown of them. Read once, asked for
    every message."""

    lines: tuple[Line, ...]
    parts: tuple[Part, ...]

    @cached_property
    def blocks(self) -> frozenset[str]:
        """The block tags among its parts."""
        return frozenset(part.tag for part in self.parts if isinstance(part, Block))

    @cached_property
    def tags(self) -> frozenset[str]:
        return frozenset(tag for line in self.lines for tag in line.tags)


@lru_cache(maxsize=512)
def read(source: str, form: Form = "text") -> Manuscript:
    """A text that was saved, or is being written."""
    if form == "html":
        reader = _Reader()
        reader.feed(_cleaned(source))
        reader.close()
        return reader.manuscript()
    lines = tuple(_marked_line(number, line) for number, line in enumerate(source.splitlines(), start=1))
    return Manuscript(lines, tuple(_parts(lines)))


def subject_line(source: str) -> Line:
    """A subject is one line of marked text, whatever the form of the body."""
    return _marked_line(1, " ".join(source.split("\n")))


def clean(source: str) -> str:
    """HTML as it is kept: the elements and links that a text may hold, and nothing else."""
    return html_of(read(source, "html"))


def _cleaned(source: str) -> str:
    """What nh3 leaves: it reads HTML as a browser does, and takes scripts and styles out with their text."""
    kept = nh3.clean(
        # half of a pair of UTF-16 is no character
        source.encode("utf-8", "ignore").decode(),
        tags=set(CLEAN),
        clean_content_tags={"script", "style", "title", "textarea", "template", "noscript", "iframe"},
        attributes={"a": {"href"}},
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    return CONTROLS.sub("", kept)


def _parts(lines: Sequence[Line]) -> Iterator[Part]:
    """Paragraphs end at an empty line and around a block."""
    together: list[Line] = []
    for line in lines:
        if together and (line.is_blank or line.block):
            yield Paragraph(together[0].style, tuple(together))
            together = []
        if block := line.block:
            yield Block(block)
        elif not line.is_blank:
            together.append(line)
    if together:
        yield Paragraph(together[0].style, tuple(together))


def _marked_line(number: int, source: str) -> Line:
    pieces: list[Piece] = []
    marks = PLAIN
    at = 0
    for match in _TAG_OR_BOLD.finditer(source):
        if match.start() > at:
            pieces.append(Piece("text", source[at : match.start()], at + 1, marks))
        if match.group() == "**":
            marks = replace(marks, bold=not marks.bold)
        elif match.group(1) is None:
            pieces.append(Piece("percent", "%", match.start() + 1, marks))
        else:
            pieces.append(Piece("tag", match.group(1), match.start() + 1, marks))
        at = match.end()
    if at < len(source):
        pieces.append(Piece("text", source[at:], at + 1, marks))
    return Line(number, _stripped(pieces))


def _stripped(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Without the spaces at both ends of the line."""
    found = list(pieces)
    while found and found[0].kind == "text":
        kept = found[0].value.lstrip()
        if kept:
            found[0] = replace(found[0], value=kept, column=found[0].column + len(found[0].value) - len(kept))
            break
        del found[0]
    while found and found[-1].kind == "text":
        kept = found[-1].value.rstrip()
        if kept:
            found[-1] = replace(found[-1], value=kept)
            break
        del found[-1]
    return tuple(found)


class _Reader(HTMLParser):
    """Of HTML that nh3 has cleaned, so that every element is known and closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._depth = dict.fromkeys(("bold", "italic", "underline"), 0)
        self._links: list[str] = []
        self._styles: list[Style] = []
        self._said: list[tuple[str, Marks]] = []
        self._open: list[Line] = []
        self._lines: list[Line] = []
        self._found: list[Part] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._end_line()
        elif tag in _INLINE:
            self._depth[_INLINE[tag]] += 1
        elif tag == "a":
            self._links.append(_usable_link(dict(attrs).get("href") or ""))
        else:
            self._end_paragraph()
            if style := _STYLES.get(tag) or _LISTS.get(tag):
                self._styles.append(style)

    def handle_endtag(self, tag: str) -> None:
        if tag in _INLINE:
            self._depth[_INLINE[tag]] -= 1
        elif tag == "a":
            if self._links:
                self._links.pop()
        elif tag != "br":
            self._end_paragraph()
            if (tag in _STYLES or tag in _LISTS) and self._styles:
                self._styles.pop()

    def handle_data(self, data: str) -> None:
        marks = Marks(
            bold=self._depth["bold"] > 0,
            italic=self._depth["italic"] > 0,
            underline=self._depth["underline"] > 0,
            link=self._links[-1] if self._links else "",
        )
        self._said.append((_SPACES.sub(" ", data), marks))

    def manuscript(self) -> Manuscript:
        self._end_paragraph()
        return Manuscript(tuple(self._lines), tuple(self._found))

    def _end_line(self) -> None:
        line = Line(len(self._lines) + 1, _pieces(self._said), self._styles[-1] if self._styles else "text")
        self._lines.append(line)
        self._open.append(line)
        self._said = []

    def _end_paragraph(self) -> None:
        if any(text.strip() for text, _ in self._said):
            self._end_line()
        self._said = []
        self._found += _parts(self._open)
        self._open = []


def _usable_link(address: str) -> str:
    stripped = address.strip()
    unusable = len(stripped) > LONGEST_LINK or any(ord(one) <= 0x20 or ord(one) == 0x7F for one in stripped)
    return "" if unusable or stripped.partition(":")[0].lower() not in SCHEMES else stripped


def _pieces(said: Sequence[tuple[str, Marks]]) -> tuple[Piece, ...]:
    """A tag may be written in more than one hand: it looks as its first character does."""
    source, hands = "", []
    for text, marks in said:
        kept = text[1:] if source.endswith(" ") and text.startswith(" ") else text
        source += kept
        hands += [marks] * len(kept)
    pieces: list[Piece] = []
    at = 0
    for match in _TAG.finditer(source):
        pieces += _texts(source, hands, at, match.start())
        marks, column = hands[match.start()], match.start() + 1
        pieces.append(
            Piece("percent", "%", column, marks)
            if match.group(1) is None
            else Piece("tag", match.group(1), column, marks)
        )
        at = match.end()
    return _stripped([*pieces, *_texts(source, hands, at, len(source))])


def _texts(source: str, hands: Sequence[Marks], start: int, end: int) -> Iterator[Piece]:
    for marks, places in groupby(range(start, end), key=lambda place: hands[place]):
        first, *rest = places
        said = _KEPT_TOGETHER.sub("\u00a0", source[first : first + 1 + len(rest)])
        yield Piece("text", said, first + 1, marks)


def html_of(manuscript: Manuscript) -> str:
    """The clean HTML that says the same, one paragraph or item per line."""
    written: list[str] = []
    for style, group in groupby(
        manuscript.parts, key=lambda part: part.style if isinstance(part, Paragraph) else ""
    ):
        inside = [_written_part(part) for part in group]
        match style:
            case "bullet":
                written += ["<ul>", *(f"<li>{one}</li>" for one in inside), "</ul>"]
            case "number":
                written += ["<ol>", *(f"<li>{one}</li>" for one in inside), "</ol>"]
            case "heading":
                written += [f"<h2>{one}</h2>" for one in inside]
            case "quote":
                written += [f"<blockquote>{one}</blockquote>" for one in inside]
            case _:
                written += [f"<p>{one}</p>" for one in inside]
    return "\n".join(written)


def _written_part(part: Part) -> str:
    if isinstance(part, Block):
        return f"%{part.tag}%"
    return "<br>".join(_written_line(line) for line in part.lines)


def _written_line(line: Line) -> str:
    written = ""
    for marks, group in groupby(line.pieces, key=lambda piece: piece.marks):
        inside = "".join(str(escape(source_of(piece))) for piece in group)
        for wanted, element in ((marks.underline, "u"), (marks.italic, "em"), (marks.bold, "strong")):
            inside = f"<{element}>{inside}</{element}>" if wanted else inside
        written += f'<a href="{escape(marks.link)}">{inside}</a>' if marks.link else inside
    return written


def source_of(piece: Piece) -> str:
    """The piece as it is written in a text."""
    return {"tag": f"%{piece.value}%", "percent": "%%"}.get(piece.kind, piece.value)


def addresses_told(line: Line) -> dict[int, str]:
    """Where a line that cannot be clicked tells the address of a link: after which piece, and what."""
    told: dict[int, str] = {}
    for address, group in groupby(enumerate(line.pieces), key=lambda placed: placed[1].marks.link):
        placed = list(group)
        if address:
            words = "".join(piece.value for _, piece in placed).strip()
            plain = address.removeprefix("mailto:").removeprefix("tel:")
            if words not in (address, plain, plain.removeprefix("https://").removeprefix("http://")):
                told[placed[-1][0]] = f" ({plain})"
    return told
