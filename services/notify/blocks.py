"""The blocks of a message, tables and buttons, as text and as rows of the frame."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from services.notify import formats
from services.notify.domain import Line, Sender, Statement, Subjects
from services.notify.formats import Medium
from services.notify.manuscript import Form, read
from services.notify.words import WORDS

FRAMES = Path(__file__).parent / "templates" / "frames"
_FIXED_WORD = re.compile(r"\{\{ words\['(\w+)'\] \}\}")
BUTTONS: Mapping[str, str] = {"access_invoices": "invoices", "debtor_space": "space"}
"""Tags that are one link, with the word it reads."""
LAYOUTS: Mapping[str, Mapping[str, int]] = {
    "email": {"": 1, "1": 1, "2": 2, "3": 3},
    "letter": {"": 2, "1": 1, "2": 2, "3": 3},
}
"""Table layout by medium and tag: 1 compact, 2 the five columns of rule 7.6, 3 with level and label."""


@cache
def frame(name: str, language: str) -> Template:
    """A part of a mail's HTML. Words that are the same in every message stand in it as text: they are not looked
    up and escaped again for each."""
    return _frames(language).get_template(name)


@cache
def _frames(language: str) -> Environment:
    def source(name: str) -> str:
        written = (FRAMES / name).read_text(encoding="utf-8")
        return _FIXED_WORD.sub(lambda word: str(escape(WORDS[language][word[1]])), written)

    return Environment(
        loader=FunctionLoader(source), autoescape=True, undefined=StrictUndefined, auto_reload=False
    )


def text_blocks(body: str, about: Subjects, language: str, medium: Medium, form: Form = "text") -> dict[str, str]:
    """What a plain text shows of each block."""
    return lines_of_blocks(body, about, language, medium, form) | {
        block: _text_table(about, language, medium) for block in read(body, form).blocks if is_table(block)
    }


def shows_labels(body: str, form: Form, medium: Medium) -> bool:
    """Whether a table of it has a column for the texts of entries."""
    return any(
        LAYOUTS[medium].get(block.removeprefix("tableau_comptable")) == 3
        for block in read(body, form).blocks
        if block.startswith("tableau_comptable")
    )


def is_table(block: str) -> bool:
    return block not in {"pay", "documents"} and block not in BUTTONS


def lines_of_blocks(
    body: str, about: Subjects, language: str, medium: Medium, form: Form = "text"
) -> dict[str, str]:
    """The same without the tables."""
    words, sender = WORDS[language], about.sender
    colon = words["colon"]
    written: dict[str, str] = {}
    for block in read(body, form).blocks:
        if block in BUTTONS:
            label, url = _button(block, sender)
            written[block] = f"{words[label]}{colon} {url}" if url else ""
        elif block == "documents":
            written[block] = "\n".join(f"- {one.piece or one.name}{colon} {one.url}" for one in about.documents)
        elif not is_table(block):
            online = sender.payment_url if medium == "email" else ""
            pay = [f"{words['pay']}{colon} {online}"] if online else []
            if sender.bank_details:
                reference = f"{words['reference']} {about.person.client_id}"
                pay.append(f"{words['by_transfer']} {sender.bank_details}, {reference}.")
            written[block] = "\n".join(pay)
    return written


def _text_table(about: Subjects, language: str, medium: Medium) -> str:
    """Lines rather than columns: they survive any width and any font."""
    words, statement = WORDS[language], about.statement
    colon = words["colon"]

    def money(value: Decimal) -> str:
        return formats.amount(value, statement.currency, language, medium)

    def written(line: Line) -> str:
        late = late_of(line, about, language)
        badge = f" ({late})" if late else ""
        kind = "" if line.is_debit else f" ({words['credit_text']})"
        return (
            f"- {line.piece} {words['dated']} {formats.short_date(line.entry_date)},"
            f" {words['due_text']} {formats.short_date(line.due_date)}{badge}{colon} {money(line.amount)}{kind}"
        )

    lines = [written(line) for line in statement.lines]
    if about.action.kind == "thanks":
        return "\n".join(lines)
    if statement.credits:
        lines.append(f"{words['total']}{colon} {money(statement.debits)}")
        lines.append(f"{words['credit']}{colon} {money(statement.credits)}")
    lines.append(f"{words['amount_due']}{colon} {money(statement.amount_due)}")
    return "\n".join(lines)


def html_blocks(
    body: str, about: Subjects, language: str, medium: Medium, form: Form = "text"
) -> dict[str, Markup]:
    words, sender, statement = WORDS[language], about.sender, about.statement
    drawn: dict[str, Markup] = {}
    for block in read(body, form).blocks:
        if block in BUTTONS:
            label, url = _button(block, sender)
            drawn[block] = _draw(language, "link.html.j2", label=words[label], url=url) if url else Markup()
        elif block == "documents":
            shown = _draw(language, "documents.html.j2", documents=about.documents)
            drawn[block] = shown if about.documents else Markup()
        elif block == "pay":
            url = sender.payment_url if medium == "email" else ""
            due = formats.amount(statement.amount_due, statement.currency, language, medium) if url else ""
            drawn[block] = (
                _draw(
                    language,
                    "pay.html.j2",
                    url=url,
                    button=f"{words['pay']} {due}",
                    bank_details=sender.bank_details,
                    client_code=about.person.client_id,
                )
                if url or sender.bank_details
                else Markup()
            )
        else:
            layout = LAYOUTS[medium][block.removeprefix("tableau_comptable")]
            drawn[block] = _html_table(about, layout, language, medium)
    return drawn


def _button(block: str, sender: Sender) -> tuple[str, str]:
    """Its word and its address; the client's own pages hold the invoices where nothing else does (rule 13.3)."""
    url = sender.space_url if block == "debtor_space" else sender.invoices_url or sender.space_url
    return BUTTONS[block], url


def _html_table(about: Subjects, layout: int, language: str, medium: Medium) -> Markup:
    statement = about.statement

    def money(value: Decimal) -> str:
        return formats.amount(value, statement.currency, language, medium) if value else ""

    return _draw(
        language,
        "table.html.j2",
        layout=layout,
        minus=formats.MINUS,
        settled=about.action.kind == "thanks",
        lines=[
            (
                line.piece,
                formats.short_date(line.entry_date),
                formats.short_date(line.due_date),
                late_of(line, about, language),
                line.level or "",
                line.label,
                money(line.amount) if line.is_debit else "",
                money(-line.amount) if line.amount < 0 else "",
            )
            for line in statement.lines
        ],
        debits=money(statement.debits),
        credits=money(statement.credits),
        amount_due=_amount_due(statement, language, medium),
    )


def _amount_due(statement: Statement, language: str, medium: Medium) -> str:
    return formats.amount(statement.amount_due, statement.currency, language, medium)


def late_of(line: Line, about: Subjects, language: str) -> str:
    """The badge of a late debit; credits and settled lines have none."""
    late = line.days_late(about.as_of)
    if not line.is_debit or late <= 0 or about.action.kind == "thanks":
        return ""
    return formats.days(late, language)


def _draw(language: str, template: str, **values: Any) -> Markup:
    return Markup(frame(template, language).render(values))  # noqa: S704 - autoescaped by the environment
