"""One action's message, from a template and what is known today: subject and text; of a mail its HTML too."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from markupsafe import Markup, escape

from services.notify import formats
from services.notify.blocks import frame, html_blocks, text_blocks
from services.notify.compiling import html_template, subject_template, text_template
from services.notify.domain import Sender, Subjects
from services.notify.formats import Medium
from services.notify.manuscript import Form, read, subject_line
from services.notify.words import WORDS

_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\r\n]+")


_Value = Callable[[Subjects, str, Medium], str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """``html`` is empty for a letter, whose pages typst makes."""

    subject: str
    text: str
    html: str
    language: str


def render(  # noqa: PLR0913, PLR0917 - what a message is made of
    subject: str, body: str, about: Subjects, language: str, medium: Medium = "email", form: Form = "text"
) -> Rendered:
    """The message as it leaves. ``subject`` and ``body`` are texts that passed ``proofreading.problems``."""
    shown, wanted = _tags(subject, body, form)
    values = values_of(about, language, medium, wanted)
    title = title_of(subject, values)
    text = _BLANK_LINES.sub(
        "\n\n", text_template(body, form).render(values | text_blocks(body, about, language, medium, form))
    )
    if medium == "letter":
        return Rendered(title, text.strip() + "\n", "", language)
    html_values = {name: _lines_as_html(value) for name, value in values.items() if name in shown}
    rows = html_template(body, form).render(html_values | html_blocks(body, about, language, medium, form))
    html = frame("mail.html.j2", language).render(
        language=language,
        subject=title,
        body=Markup(rows),  # noqa: S704 - made by the sandbox above, which escapes every value
        preheader=_preheader(about, language),
        footer=_lines_as_html(footer_of(about.sender)),
        pixel_url=about.pixel_url,
        company_name=html_values["company_name"],
        client_code=html_values["client_code"],
    )
    return Rendered(title, text.strip() + "\n", html, language)


@lru_cache(maxsize=512)
def _tags(subject: str, body: str, form: Form) -> tuple[frozenset[str], frozenset[str]]:
    """Those that the HTML shows, and those with the subject's."""
    shown = read(body, form).tags | {"company_name", "client_code"}
    return shown, shown.union(subject_line(subject).tags)


def title_of(subject: str, values: Mapping[str, str]) -> str:
    """The subject on one line."""
    return _SPACES.sub(" ", subject_template(subject).render(values)).strip()


def values_of(
    about: Subjects, language: str, medium: Medium, wanted: frozenset[str] | None = None
) -> dict[str, str]:
    """Each tag that stands inside a line, or those that are ``wanted``; an unknown value is empty."""
    return {
        name: value(about, language, medium) for name, value in _VALUES.items() if wanted is None or name in wanted
    }


def _day(day: date | None) -> str:
    return formats.short_date(day) if day else ""


def _claimed(value: Decimal, currency: str, language: str, medium: Medium) -> str:
    return formats.amount(value, currency, language, medium) if value else ""


def _free_field(name: str) -> _Value:
    return lambda about, *_: about.person.free_fields.get(name, "")


_VALUES: Mapping[str, _Value] = {
    "client_name": lambda about, *_: about.person.name,
    "client_code": lambda about, *_: about.person.client_id,
    "client_address": lambda about, *_: "\n".join(about.person.address),
    "contact_name": lambda about, *_: about.person.contact_name,
    "total": lambda about, *how: formats.amount(about.statement.amount_due, about.statement.currency, *how),
    "total_overdue": lambda about, *how: formats.amount(about.overdue, about.statement.currency, *how),
    "total_upcoming": lambda about, *how: formats.amount(about.upcoming, about.statement.currency, *how),
    "level": lambda about, *_: about.action.step if about.action.kind == "reminder" else "",
    "oldest_due_date": lambda about, *_: _day(about.statement.oldest_due_date),
    "max_days_late": lambda about, *_: str(max(about.statement.max_days_late, 0)),
    "invoice_list": lambda about, *_: ", ".join(line.piece for line in about.statement.invoices),
    "penalties": lambda about, *how: _claimed(about.interest, about.statement.currency, *how),
    "fixed_indemnity": lambda about, *how: _claimed(about.indemnity, "EUR", *how),
    "sender_name": lambda about, *_: about.sender.name,
    "sender_email": lambda about, *_: about.sender.reply_to or about.sender.email,
    "sender_phone": lambda about, *_: about.sender.phone,
    "company_name": lambda about, *_: about.sender.company_name,
    "company_address": lambda about, *_: about.sender.company_address,
    "today": lambda about, language, _: formats.long_date(about.as_of, language),
    "salesperson": lambda about, *_: about.person.salesperson,
    **{f"tag{number}": _free_field(f"tag{number}") for number in range(1, 11)},
}


def _lines_as_html(text: str) -> Markup:
    return Markup("<br>").join(text.split("\n")) if "\n" in text else escape(text)


def _preheader(about: Subjects, language: str) -> str:
    """What a mailbox shows beside the subject."""
    words, statement = WORDS[language], about.statement
    count = len(statement.invoices)
    if about.action.kind == "thanks" or not count:
        return ""
    return words["preheader"].format(
        invoices=words["preheader_one"] if count == 1 else words["preheader_many"].format(count=count),
        amount=formats.amount(statement.amount_due, statement.currency, language),
        credit=words["preheader_credit"] if statement.credits else "",
    )


def footer_of(sender: Sender) -> str:
    return sender.footer or ", ".join(
        part for part in (sender.company_name, sender.company_address.replace("\n", ", ")) if part
    )
