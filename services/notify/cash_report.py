"""The daily mail of key figures to one of the company's own people (rule 15.4), as it leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from html import escape

from services.notify import formats
from services.notify.rendering import Rendered
from services.notify.words import WORDS

MEDIA = ("phone", "letter", "email", "other")
CELL = "padding:6px 12px 6px 0;border-bottom:1px solid #e2e6ec"
NUMBER = f"{CELL};text-align:right;white-space:nowrap"


@dataclass(frozen=True)
class Figures:
    """What one person sees of the company on a day; amounts in its bookkeeping currency."""

    as_of: date
    currency: str
    total: Decimal
    overdue: Decimal
    overdue_clients: int
    upcoming: Decimal
    paid: Decimal
    paid_since: date
    to_remind: Decimal
    tasks: Mapping[str, int]
    """What waits today, by medium."""
    done_since: date
    done: Mapping[str, int]
    """Messages and calls from ``done_since`` up to the day before, by medium."""
    late_promises: int
    late_promised: Decimal
    failed_mails: int
    stale: bool
    """The last good synchronisation is too old, or there was none: the figures are to be doubted."""
    synced_on: date | None
    top: Sequence[tuple[str, Decimal]]
    """Who is late with most: name and overdue amount."""


def report(figures: Figures, company_name: str, language: str) -> Rendered:
    """Subject, text and HTML. Whatever comes from accounting is escaped."""
    words = WORDS[language]
    rows = _rows(figures, language)
    heading = words["report_subject"].format(
        company=company_name,
        day=formats.short_date(figures.as_of),
        overdue=formats.amount(figures.overdue, figures.currency, language),
    )
    doubt = ""
    if figures.stale:
        last = formats.short_date(figures.synced_on) if figures.synced_on else words["report_never"]
        doubt = words["report_stale"].format(day=last)
    top = [(name, formats.amount(overdue, figures.currency, language)) for name, overdue in figures.top]
    parts = [(words["report_figures"], rows), *([(words["report_top"], top)] if top else [])]
    lines = [heading, *([doubt] if doubt else [])]
    for title, told in parts:
        lines += ["", title, *(f"  {name} : {value}" for name, value in told)]
    lines += ["", words["report_why"]]
    return Rendered(heading, "\n".join(lines) + "\n", _html(heading, doubt, parts, words["report_why"]), language)


def _rows(figures: Figures, language: str) -> list[tuple[str, str]]:
    words = WORDS[language]

    def money(amount: Decimal) -> str:
        return formats.amount(amount, figures.currency, language)

    def counted(numbers: Mapping[str, int]) -> str:
        told = [f"{words[f'report_{medium}']} {numbers[medium]}" for medium in MEDIA if numbers.get(medium)]
        return ", ".join(told) or words["report_none"]

    promised = f"{figures.late_promises} ({money(figures.late_promised)})" if figures.late_promises else "0"
    return [
        (words["report_total"], money(figures.total)),
        (words["report_overdue"], f"{money(figures.overdue)} ({figures.overdue_clients})"),
        (words["report_upcoming"], money(figures.upcoming)),
        (words["report_paid"].format(day=formats.short_date(figures.paid_since)), money(figures.paid)),
        (words["report_to_remind"], money(figures.to_remind)),
        (words["report_tasks"], counted(figures.tasks)),
        (words["report_done"].format(day=formats.short_date(figures.done_since)), counted(figures.done)),
        (words["report_late_promises"], promised),
        (words["report_failed_mails"], str(figures.failed_mails)),
    ]


def _html(heading: str, doubt: str, parts: Sequence[tuple[str, Sequence[tuple[str, str]]]], why: str) -> str:
    tables = "".join(
        f'<h2 style="font-size:15px;margin:20px 0 6px">{escape(title)}</h2>'
        '<table role="presentation" cellspacing="0" style="border-collapse:collapse;width:100%;max-width:560px">'
        + "".join(
            f'<tr><td style="{CELL}">{escape(name)}</td><td style="{NUMBER}">{escape(value)}</td></tr>'
            for name, value in rows
        )
        + "</table>"
        for title, rows in parts
    )
    warned = (
        f'<p style="background:#fdecdc;color:#974408;padding:8px 12px;border-radius:6px">{escape(doubt)}</p>'
        if doubt
        else ""
    )
    return (
        '<div style="font-family:Arial,sans-serif;font-size:14px;color:#1b2433;max-width:600px">'
        f'<h1 style="font-size:18px;margin:0 0 8px">{escape(heading)}</h1>{warned}{tables}'
        f'<p style="color:#5b6676;font-size:12px;margin-top:20px">{escape(why)}</p></div>'
    )
