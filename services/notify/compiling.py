"""A template's text, with its ``%tags%``: to Jinja as plain text and as rows of the mail's HTML; to the lines of a
letter.

Jinja's delimiters are control characters, which a saved text cannot hold and which are taken out of one that was
never checked: braces and percent signs written by a user are only characters. What a template may reach is what it
is given: no globals, two filters, no attributes. A letter's lines need no Jinja: their tags are looked up, and
nothing in them is ever read as code.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from services.notify.manuscript import (
    CONTROLS,
    Block,
    Form,
    Line,
    Marks,
    Paragraph,
    Piece,
    addresses_told,
    read,
    subject_line,
)
from services.notify.tags import TAGS

_SEPARATORS = frozenset(" \t\u00a0·|-–,")
_BETWEEN = " · "
_FIRST_CELL = "font-size:15px;line-height:23px;"
_NEXT_CELL = "font-size:14px;line-height:21px;"
_LINK = "color:#28407f;"
_ITEM = '<li style="margin:0 0 4px 0;">'
_OPENING = {
    "text": '<p style="margin:0 0 14px 0;">',
    "heading": '<h2 style="margin:0 0 10px 0;font-size:17px;line-height:24px;">',
    "quote": '<blockquote style="margin:0 0 14px 0;padding:0 0 0 12px;border-left:3px solid #c9d2df;">',
    "bullet": '<ul style="margin:0 0 14px 0;padding:0 0 0 22px;">',
    "number": '<ol style="margin:0 0 14px 0;padding:0 0 0 22px;">',
}
_CLOSING = {"text": "</p>", "heading": "</h2>", "quote": "</blockquote>", "bullet": "</ul>", "number": "</ol>"}


class UnknownTag(ValueError):
    """A text that was never checked holds a tag that does not exist; it is not compiled."""


class _Sandbox(ImmutableSandboxedEnvironment):
    def __init__(self, autoescape: bool) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=StrictUndefined,
            variable_start_string="\x01",
            variable_end_string="\x02",
            block_start_string="\x03",
            block_end_string="\x04",
            comment_start_string="\x05",
            comment_end_string="\x06",
            keep_trailing_newline=True,
        )
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in ("join", "select")}

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return False


_TEXT = _Sandbox(autoescape=False)
_HTML = _Sandbox(autoescape=True)


@lru_cache(maxsize=512)
def subject_template(source: str) -> Template:
    """The subject, on one line."""
    return _TEXT.from_string(_content(subject_line(source), _as_text, told={}))


@lru_cache(maxsize=512)
def text_template(source: str, form: Form = "text") -> Template:
    """The plain text of a template. Raises ``UnknownTag``."""
    written: list[str] = []
    for style, parts in groupby(read(source, form).parts, key=_style):
        items = style in ("bullet", "number")
        for number, part in enumerate(parts, start=1):
            if isinstance(part, Block):
                written.append(_value(part.tag))
                continue
            before = {"bullet": "- ", "number": f"{number}. ", "quote": "> "}.get(style, "")
            line_break = "\n" + (before if style == "quote" else " " * len(before))
            said, tags = _lines(part.lines, _as_text, line_break, tells=True), _tags_of(part.lines)
            if items and number > 1:
                written[-1] += _when(tags, f"\n{before}{said}")
            else:
                written.append(_when(tags, f"{before}{said}"))
    return _TEXT.from_string("\n\n".join(written))


@lru_cache(maxsize=512)
def html_template(source: str, form: Form = "text") -> Template:
    """The body as table rows of the frame ``mail.html.j2``: cells of paragraphs, and blocks between them.

    Raises ``UnknownTag``.
    """
    rows: list[str] = []
    paragraphs: list[str] = []

    def end_cell() -> None:
        if paragraphs:
            rows.append(_cell("\n".join(paragraphs), first=not rows))
            paragraphs.clear()

    for style, parts in groupby(read(source, form).parts, key=_style):
        items: list[str] = []
        for part in parts:
            if isinstance(part, Block):
                end_cell()
                rows.append(_value(part.tag))
                continue
            said, tags = _lines(part.lines, _as_html, "<br>", tells=False), _tags_of(part.lines)
            if style in ("bullet", "number"):
                items.append(_when(tags, f"{_ITEM}{said}</li>"))
            else:
                paragraphs.append(_when(tags, f"{_OPENING[style]}{said}{_CLOSING[style]}"))
        if items:
            paragraphs.append(f"{_OPENING[style]}{''.join(items)}{_CLOSING[style]}")
    end_cell()
    return _HTML.from_string("\n".join(rows))


def _style(part: Paragraph | Block) -> str:
    return part.style if isinstance(part, Paragraph) else ""


def _cell(content: str, *, first: bool) -> str:
    above = "24px" if first else "12px"
    return (
        f'<tr><td class="p" style="padding:{above} 32px 0 32px;font-family:Arial,Helvetica,sans-serif;'
        f"{_FIRST_CELL if first else _NEXT_CELL}color:#1b2433;word-break:break-word;overflow-wrap:anywhere;"
        f'">{content}</td></tr>'
    )


def _tags_alone(line: Line) -> tuple[str, ...]:
    """The tags of a line that holds nothing else but separators: without a value it does not show at all."""
    alone = all(set(piece.value) <= _SEPARATORS for piece in line.pieces if piece.kind != "tag")
    return line.tags if alone else ()


def _tags_of(lines: Sequence[Line]) -> tuple[str, ...]:
    """Those that decide whether any of these lines shows; none when one shows in any case."""
    alone = [_tags_alone(line) for line in lines]
    return tuple(tag for tags in alone for tag in tags) if all(alone) else ()


def _when(tags: Sequence[str], said: str) -> str:
    return f"\x03if {' or '.join(dict.fromkeys(tags))}\x04{said}\x03endif\x04" if tags else said


Dressed = Callable[[str, Marks], str]
"""Makes of what stands in a line what its medium shows."""


def _lines(lines: Sequence[Line], dressed: Dressed, line_break: str, *, tells: bool) -> str:
    """The lines of a paragraph. A break stands before a line only when some line above it shows."""
    written = ""
    above: tuple[str, ...] = ()
    for index, line in enumerate(lines):
        said = _content(line, dressed, addresses_told(line) if tells else {})
        before = _when(above, line_break) if index else ""
        written += _when(_tags_alone(line), before + said)
        above = _tags_of(lines[: index + 1])
    return written


def _content(line: Line, dressed: Dressed, told: Mapping[int, str]) -> str:
    """One line. Raises ``UnknownTag``."""
    if unknown := [tag for tag in line.tags if tag not in TAGS]:
        raise UnknownTag(unknown[0])
    if tags := _tags_alone(line):
        marks = next(piece.marks for piece in line.pieces if piece.kind == "tag")
        shown = tags[0] if len(tags) == 1 else f"[{','.join(tags)}]|select|join('{_BETWEEN}')"
        return dressed(_value(shown), marks)
    return "".join(
        dressed(_said(line.pieces, index, dressed), piece.marks) + told.get(index, "")
        for index, piece in enumerate(line.pieces)
    )


def _said(pieces: Sequence[Piece], index: int, dressed: Dressed) -> str:
    """The space before a tag goes when the tag has no value: "Bonjour %contact_name%," becomes "Bonjour,"."""
    piece = pieces[index]
    if piece.kind == "tag":
        return _value(piece.value)
    quoted = CONTROLS.sub("", piece.value)
    quoted = str(escape(quoted)) if dressed is _as_html else quoted
    following = pieces[index + 1] if index + 1 < len(pieces) else None
    if following is not None and following.kind == "tag" and quoted.endswith(" "):
        return f"{quoted[:-1]}\x03if {following.value}\x04 \x03endif\x04"
    return quoted


def _as_text(said: str, marks: Marks) -> str:
    return said


def _as_html(said: str, marks: Marks) -> str:
    for wanted, element in ((marks.underline, "u"), (marks.italic, "em"), (marks.bold, "strong")):
        said = f"<{element}>{said}</{element}>" if wanted else said
    address = escape(CONTROLS.sub("", marks.link))
    return f'<a href="{address}" style="{_LINK}">{said}</a>' if address else said


def _value(tag: str) -> str:
    return f"\x01{tag}\x02"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a letter's line. Its text may hold line ends, where a tag's value does."""

    text: str
    bold: bool = False
    italic: bool = False
    underline: bool = False


def runs(line: Line, values: Mapping[str, str]) -> list[Run]:
    """One line as a letter shows it, by the same rules as in a mail; none when the line does not show at all.

    Raises ``UnknownTag``.
    """
    if unknown := [tag for tag in line.tags if tag not in TAGS]:
        raise UnknownTag(unknown[0])
    if tags := _tags_alone(line):
        marks = next(piece.marks for piece in line.pieces if piece.kind == "tag")
        shown = _BETWEEN.join(value for tag in tags if (value := values[tag]))
        return [_run(shown, marks)] if shown else []
    told = addresses_told(line)
    found: list[Run] = []
    for index, piece in enumerate(line.pieces):
        said = values[piece.value] if piece.kind == "tag" else piece.value
        following = line.pieces[index + 1] if index + 1 < len(line.pieces) else None
        if piece.kind == "text" and following is not None and following.kind == "tag" and said.endswith(" "):
            said = said if values[following.value] else said[:-1]
        if said := said + told.get(index, ""):
            found.append(_run(said, piece.marks))
    return found


def _run(said: str, marks: Marks) -> Run:
    return Run(said, marks.bold, marks.italic, marks.underline)
