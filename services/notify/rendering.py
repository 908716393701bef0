"""One action's message, from a template and what is known today: subject and text; of a mail its HTML too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup, escape

from services.notify import formats
from services.notify.blocks import frame, html_blocks, text_blocks
from services.notify.compiling import html_template, subject_template, text_template
from services.notify.domain import Sender, Subjects
from services.notify.formats import Medium
from services.notify.manuscript import Form, read
from services.notify.words import WORDS

_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\r\n]+")


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
    values = values_of(about, language, medium)
    title = title_of(subject, values)
    text = _BLANK_LINES.sub(
        "\n\n", text_template(body, form).render(values | text_blocks(body, about, language, medium, form))
    )
    if medium == "letter":
        return Rendered(title, text.strip() + "\n", "", language)
    shown = read(body, form).tags | {"company_name", "client_code"}
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


def title_of(subject: str, values: Mapping[str, str]) -> str:
    """The subject on one line."""
    return _SPACES.sub(" ", subject_template(subject).render(values)).strip()


def values_of(about: Subjects, language: str, medium: Medium) -> dict[str, str]:
    """Each tag that stands inside a line; an unknown value is empty."""
    statement, person, sender = about.statement, about.person, about.sender

    def money(value: Decimal, currency: str = statement.currency) -> str:
        return formats.amount(value, currency, language, medium)

    penalties, indemnity = about.interest, about.indemnity
    oldest = statement.oldest_due_date
    return {
        "client_name": person.name,
        "client_code": person.client_id,
        "client_address": "\n".join(person.address),
        "contact_name": person.contact_name,
        "total": money(statement.amount_due),
        "total_overdue": money(about.overdue),
        "total_upcoming": money(about.upcoming),
        "level": about.action.step if about.action.kind == "reminder" else "",
        "oldest_due_date": formats.short_date(oldest) if oldest else "",
        "max_days_late": str(max(statement.max_days_late, 0)),
        "invoice_list": ", ".join(line.piece for line in statement.invoices),
        "penalties": money(penalties) if penalties else "",
        "fixed_indemnity": money(indemnity, "EUR") if indemnity else "",
        "sender_name": sender.name,
        "sender_email": sender.reply_to or sender.email,
        "sender_phone": sender.phone,
        "company_name": sender.company_name,
        "company_address": sender.company_address,
        "today": formats.long_date(about.as_of, language),
        "salesperson": person.salesperson,
        **{f"tag{number}": person.free_fields.get(f"tag{number}", "") for number in range(1, 11)},
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
