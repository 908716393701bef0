"""A template's text, with its ``%tags%``: to Jinja as plain text and as rows of the mail's HTML; to the lines of a
letter.

Jinja's delimiters are control characters, which a saved text cannot hold: braces and percent signs written by a
user are only characters. What a template may reach is what it is given: no globals, two filters, no attributes.
A letter's lines need no Jinja: their tags are looked up, and nothing in them is ever read as code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from services.notify.tags import TAGS, Piece, block_of, pieces

_SEPARATORS = frozenset(" \t\u00a0·|-–,")
_BETWEEN = " · "
_FIRST_CELL = "font-size:15px;line-height:23px;"
_NEXT_CELL = "font-size:14px;line-height:21px;"


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
def text_template(source: str) -> Template:
    """The plain text of a template; also used for subjects."""
    lines = [
        _value(block) if (block := block_of(line)) else _line(line, str, bold=("", ""), line_break="")
        for line in source.splitlines()
    ]
    return _TEXT.from_string("\n".join(lines))


@lru_cache(maxsize=512)
def html_template(source: str) -> Template:
    """The body as table rows of the frame ``mail.html.j2``: cells of paragraphs, and blocks between them."""
    rows: list[str] = []
    paragraphs: list[str] = []
    lines: list[str] = []

    def end_paragraph() -> None:
        if lines:
            paragraphs.append('<p style="margin:0 0 14px 0;">' + "".join(lines) + "</p>")
            lines.clear()

    def end_cell() -> None:
        end_paragraph()
        if paragraphs:
            rows.append(_cell("\n".join(paragraphs), first=not rows))
            paragraphs.clear()

    for line in source.splitlines():
        if block := block_of(line):
            end_cell()
            rows.append(_value(block))
        elif line.strip():
            lines.append(_line(line, escape, bold=("<strong>", "</strong>"), line_break="<br>" if lines else ""))
        else:
            end_paragraph()
    end_cell()
    return _HTML.from_string("\n".join(rows))


def _cell(content: str, *, first: bool) -> str:
    above = "24px" if first else "12px"
    return (
        f'<tr><td class="p" style="padding:{above} 32px 0 32px;font-family:Arial,Helvetica,sans-serif;'
        f'{_FIRST_CELL if first else _NEXT_CELL}color:#1b2433;">{content}</td></tr>'
    )


def _known(line: str) -> tuple[list[Piece], list[str]]:
    """The parts of a line and the tags among them. Raises ``UnknownTag``."""
    parts = list(pieces(line.strip()))
    tags = [part.value for part in parts if part.kind == "tag"]
    if unknown := [tag for tag in tags if tag not in TAGS]:
        raise UnknownTag(unknown[0])
    return parts, tags


def _tags_alone(parts: list[Piece], tags: list[str]) -> bool:
    return bool(tags) and all(set(part.value) <= _SEPARATORS for part in parts if part.kind == "text")


def _line(line: str, quote: Callable[[str], str | Markup], *, bold: tuple[str, str], line_break: str) -> str:
    """One line. A line of tags and separators alone shows the tags that have a value, or does not show at all."""
    parts, tags = _known(line)
    if _tags_alone(parts, tags):
        opening, closing = bold if any(part.kind == "bold" for part in parts) else ("", "")
        shown = tags[0] if len(tags) == 1 else f"[{','.join(tags)}]|select|join('{_BETWEEN}')"
        return f"\x03if {' or '.join(tags)}\x04{line_break}{opening}\x01{shown}\x02{closing}\x03endif\x04"
    return line_break + "".join(_parts(parts, quote, bold))


def _parts(parts: list[Piece], quote: Callable[[str], str | Markup], bold: tuple[str, str]) -> list[str]:
    written: list[str] = []
    in_bold = False
    for index, part in enumerate(parts):
        match part.kind:
            case "tag":
                written.append(_value(part.value))
            case "bold":
                written.append(bold[in_bold])
                in_bold = not in_bold
            case _:
                following = parts[index + 1] if index + 1 < len(parts) else None
                written.append(_text(part.value, following, quote))
    if in_bold:
        written.append(bold[1])
    return written


def _text(text: str, following: Piece | None, quote: Callable[[str], str | Markup]) -> str:
    """The space before a tag goes when the tag has no value: "Bonjour %contact_name%," becomes "Bonjour,"."""
    if following is not None and following.kind == "tag" and text.endswith(" "):
        return f"{quote(text[:-1])}\x03if {following.value}\x04 \x03endif\x04"
    return str(quote(text))


def _value(tag: str) -> str:
    return f"\x01{tag}\x02"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a letter's line. Its text may hold line ends, where a tag's value does."""

    text: str
    bold: bool = False


def runs(line: str, values: Mapping[str, str]) -> list[Run]:
    """One line as a letter shows it, by the same rules as in a mail; none when the line does not show at all."""
    parts, tags = _known(line)
    if _tags_alone(parts, tags):
        shown = _BETWEEN.join(value for tag in tags if (value := values[tag]))
        return [Run(shown, any(part.kind == "bold" for part in parts))] if shown else []
    found: list[Run] = []
    in_bold = False
    for index, part in enumerate(parts):
        if part.kind == "bold":
            in_bold = not in_bold
            continue
        said = values[part.value] if part.kind == "tag" else part.value
        following = parts[index + 1] if index + 1 < len(parts) else None
        if part.kind == "text" and following is not None and following.kind == "tag" and said.endswith(" "):
            said = said if values[following.value] else said[:-1]
        if said:
            found.append(Run(said, in_bold))
    return found
