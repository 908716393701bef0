"""What stands on the pages of a letter: data that typst shows, and never source that it reads."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from math import ceil, inf
from typing import Any

from services.notify import formats
from services.notify.blocks import LAYOUTS, late_of, lines_of_blocks
from services.notify.compiling import Run, runs
from services.notify.delivered import Text
from services.notify.domain import Line, Subjects
from services.notify.letters.postal import recipient_lines
from services.notify.manuscript import Block, Paragraph, read
from services.notify.rendering import footer_of, title_of, values_of
from services.notify.words import WORDS

Page = dict[str, Any]
"""The letter as ``letter.typ`` reads it: strings, lists, booleans."""

LONGEST_WORD = 30
_LONG = re.compile(rf"\S{{{LONGEST_WORD}}}(?=\S)")
_MAY_BREAK = "\u200b"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_KEPT = frozenset({"\n", "\u200d", "\u00ad", _MAY_BREAK})
_PLAIN_SPACES = str.maketrans("\n\u00a0\u202f", "   ")

SHEET_MM, POINTS_PER_MM = 170.0, 72 / 25.4
WIDTHS_MM = {"day": 20.0, "due": 35.0, "level": 15.0, "amount": 29.0}
"""Of the columns, as ``letter.typ`` draws them; ``rest`` takes what is left of the sheet."""
CELL_POINTS, NOTE_POINTS, INSET_POINTS = 9.5, 8.5, 5.0
TEXT_POINTS, LINE_POINTS, GAP_POINTS = 10.5, 13.1, 11.1
"""The text's size, from one line to the next, and from one paragraph to the next."""
SUBJECT_POINTS, TABLE_POINTS, ROW_POINTS, TOTAL_POINTS = 17.1, 55.0, 14.3, 17.0
"""What stands below the subject; around a table, its titles on two lines among it; its rows and its sums."""
ROOM_POINTS = 460.0
"""From the subject to the foot of the first sheet, a line of a table less."""
_EMS = {
    0.36: " .,:;/-()'ijl\u00a0\u202f",
    0.54: "0123456789\u2212\u20ac",
    0.62: "abcdefghknopqrstuvxyzABCEFIJKLPRSTVXYZ",
}
_LATIN_EM, _LATIN_ENDS = 0.92, "\u0180"
"""No character of the delivered face is wider, bold or not; beyond Latin another face may be taken."""


class _Ems(dict[str, float]):
    def __missing__(self, one: str) -> float:
        return _LATIN_EM if one < _LATIN_ENDS else inf


_EM = _Ems({one: ems for ems, characters in _EMS.items() for one in characters})


def letter(
    template: Text, about: Subjects, language: str, *, logo: str | None = None, registered: bool = False
) -> Page:
    """One letter. ``logo`` is the name of a file beside ``letter.typ``. Raises ``UnknownTag``."""
    words, sender = WORDS[language], about.sender
    values = values_of(about, language, "letter")
    contact = [line for line in (sender.phone, sender.reply_to or sender.email) if line]
    subject = shown(title_of(template.subject, values))
    blocks = _blocks(template, about, language, values)
    return {
        "language": language,
        "written_on": [about.as_of.year, about.as_of.month, about.as_of.day],
        "logo": logo,
        "sender": {
            "name": shown(sender.company_name),
            "lines": [shown(line) for line in (*sender.company_address.split("\n"), *contact) if line.strip()],
        },
        "recipient": [shown(line) for line in recipient_lines(about.person.name, about.person.address)],
        "mention": words["registered"] if registered else "",
        "reference": {"label": f"{words['our_reference']}{words['colon']} ", "value": about.person.client_id},
        "date": words["on_day"].format(day=values["today"]),
        "about": f"{words['subject']}{words['colon']} ",
        "subject": subject,
        "blocks": blocks,
        "one_sheet": _takes_one_sheet(f"{words['subject']}{words['colon']} {subject}", blocks),
        "continued": shown(f"{sender.company_name} · {about.person.client_id} · {subject}"),
        "footer": shown(footer_of(sender)),
        "page": words["page"],
    }


def shown(text: str) -> str:
    """What a page can show: no controls, nothing that turns the direction of writing, and no word wider than its
    place, which would run over its neighbours."""
    seen = text if text.translate(_PLAIN_SPACES).isprintable() else _seen(text)
    if len(seen) <= LONGEST_WORD:
        return seen
    return _LONG.sub(lambda word: word.group() + _MAY_BREAK, seen)


def _seen(text: str) -> str:
    return "".join(one for one in text if one in _KEPT or unicodedata.category(one) not in _UNSEEN)


def widest(text: str) -> float:
    """What a text takes at most, in widths of an em; infinite when nobody knows."""
    return sum(map(_EM.__getitem__, text))


def _blocks(template: Text, about: Subjects, language: str, values: dict[str, str]) -> list[Page]:
    drawn: list[Page] = []
    texts = lines_of_blocks(template.body, about, language, "letter", template.form)
    for part in read(template.body, template.form).parts:
        if isinstance(part, Block):
            if part.tag.startswith("tableau_comptable"):
                layout = LAYOUTS["letter"][part.tag.removeprefix("tableau_comptable")]
                drawn.append(_table(about, layout, language))
            elif texts[part.tag]:
                lines = [[_run(Run(one))] for one in texts[part.tag].split("\n")]
                drawn.append({"kind": "text", "lines": lines})
        elif shown := _shown_lines(part, values):
            _add(drawn, part.style, shown)
    return drawn


def _takes_one_sheet(subject: str, blocks: Sequence[Page]) -> bool:
    """Surely, however wide its characters are: then nothing needs to ask how many pages there are."""
    points = _lines_of(subject) * LINE_POINTS + SUBJECT_POINTS
    for block in blocks:
        if block["kind"] == "text":
            points += GAP_POINTS
            points += sum(LINE_POINTS * _lines_of("".join(run["text"] for run in line)) for line in block["lines"])
        elif block["kind"] == "table" and all(row["single"] for row in block["rows"]):
            points += TABLE_POINTS + ROW_POINTS * len(block["rows"]) + TOTAL_POINTS * len(block["totals"])
        else:
            return False
    return points <= ROOM_POINTS


@lru_cache(maxsize=2048)
def _lines_of(text: str) -> float:
    """How many lines of the sheet it takes at most: each is filled until the next word has no room."""
    sheet = SHEET_MM * POINTS_PER_MM
    taken = widest(text) * TEXT_POINTS
    if taken <= sheet:
        return 1
    room = sheet - max(map(widest, text.split(" "))) * TEXT_POINTS
    return ceil(taken / room) if room > 0 and taken < inf else inf


def _shown_lines(part: Paragraph, values: dict[str, str]) -> list[list[Page]]:
    return [one for line in part.lines if (found := runs(line, values)) for one in _split(found)]


def _add(drawn: list[Page], style: str, lines: list[list[Page]]) -> None:
    match style:
        case "bullet" | "number":
            kind = {"kind": "list", "ordered": style == "number"}
            if not drawn or {name: drawn[-1].get(name) for name in kind} != kind:
                drawn.append({**kind, "items": []})
            drawn[-1]["items"].append(lines)
        case "heading":
            drawn.append({"kind": "text", "lines": [[run | {"bold": True} for run in line] for line in lines]})
        case "quote":
            drawn.append({"kind": "text", "lines": [[run | {"italic": True} for run in line] for line in lines]})
        case _:
            drawn.append({"kind": "text", "lines": lines})


def _split(found: Sequence[Run]) -> list[list[Page]]:
    """A value of several lines, an address, goes on below."""
    lines: list[list[Page]] = [[]]
    for run in found:
        first, *others = run.text.split("\n")
        lines[-1].append(_run(replace(run, text=first)))
        lines.extend([_run(replace(run, text=other))] for other in others)
    return lines


def _run(run: Run) -> Page:
    drawn: Page = {"text": shown(run.text), "bold": run.bold}
    return drawn | {name: True for name in ("italic", "underline") if getattr(run, name)}


def _table(about: Subjects, layout: int, language: str) -> Page:
    """Rule 7.6; a thank-you lists what is settled and asks for nothing."""
    words, statement = WORDS[language], about.statement
    asks = about.action.kind != "thanks"

    def money(value: Decimal) -> str:
        return formats.amount(value, statement.currency, language, "letter") if value else ""

    def row(line: Line) -> list[Page]:
        late = late_of(line, about, language)
        due = _cell(formats.short_date(line.due_date), f"({late})" if late else "", beside=True)
        on = formats.short_date(line.entry_date)
        amounts = [_cell(money(max(line.amount, Decimal(0)))), _cell(money(max(-line.amount, Decimal(0))))]
        if layout == 1:
            first = [_cell(line.piece, f"{words['dated']} {on}", bold=True, beside=True)]
        else:
            first = [_cell(on), _cell(line.piece, line.label if layout == 3 else "", bold=True)]
        level = [_cell(line.level or "")] if layout == 3 else []
        return [*first, due, *level, *amounts[: 1 + asks]]

    columns = [
        *([] if layout == 1 else [_column(words["date"], "day")]),
        _column(words["piece"], "rest"),
        _column(words["due"], "due"),
        *([_column(words["level"], "level")] if layout == 3 else []),
        _column(words["amount"], "amount"),
        *([_column(words["credit"], "amount")] if asks else []),
    ]
    totals: list[Page] = []
    if asks and statement.credits:
        amounts = [money(statement.debits), money(statement.credits)]
        totals.append({"label": words["total"], "amounts": amounts, "strong": False})
    if asks:
        due = formats.amount(statement.amount_due, statement.currency, language, "letter")
        totals.append({"label": words["amount_due"], "amounts": [due], "strong": True})
    rows = [_row(row(line), columns) for line in statement.lines]
    return {"kind": "table", "columns": columns, "rows": rows, "totals": totals}


def _row(cells: list[Page], columns: list[Page]) -> Page:
    """``single``: each cell surely stands on one line, however wide its characters are."""
    kinds = [column["kind"] for column in columns]
    rest = SHEET_MM - sum(WIDTHS_MM[kind] for kind in kinds if kind != "rest")
    last = len(kinds) - 1
    single = all(
        "\n" not in cell["text"]
        and (not cell["note"] or cell["beside"])
        and _points(cell) <= WIDTHS_MM.get(kind, rest) * POINTS_PER_MM - INSET_POINTS * (1 + (0 < index < last))
        for index, (cell, kind) in enumerate(zip(cells, kinds, strict=True))
    )
    return {"cells": cells, "single": single}


def _points(cell: Page) -> float:
    """What a cell takes at most on one line."""
    points = widest(cell["text"]) * CELL_POINTS
    if not cell["note"]:
        return points
    return points + widest(" ") * CELL_POINTS + widest(cell["note"]) * NOTE_POINTS


def _cell(text: str, note: str = "", *, bold: bool = False, beside: bool = False) -> Page:
    return {"text": shown(text), "note": shown(note), "bold": bold, "beside": beside}


def _column(title: str, kind: str) -> Page:
    return {"title": title, "kind": kind}
