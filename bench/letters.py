"""Letters as PDF: how many one core makes a second, and what putting a pile together costs."""

from __future__ import annotations

import hashlib
import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import typst

from bench.harness import Result
from bench.reminders import reminder
from bench.stages import machine
from contracts.dunning import ActionEntry
from services.notify import gallery
from services.notify.delivered import delivered
from services.notify.domain import EntryNow, Person, Subjects, statement
from services.notify.letters.bundle import Kept, bundle, cover_page, pile
from services.notify.letters.layout import Page, letter
from services.notify.letters.postal import mailing_key
from services.notify.letters.press import Press

DAY = date(2026, 4, 8)
ENTRIES_PER_LETTER = 40
"""One entry in so many of a book asks for a letter."""
LINES = (1, 2, 3, 3, 4, 6, 12)
"""Invoices of a letter, in turn."""
WARM = 20
WANTED = 120
SENDER = replace(gallery.SENDER, footer="", payment_url="", space_url="")
"""Without what only mails have, and the footer: figures stay comparable with older ones."""
MINIMAL = """#set page(paper: "a4")
#set text(font: "Source Sans Pro", size: 10.5pt)
#let letter = json("letter.json")
#for line in letter.recipient { line; linebreak() }
#letter.subject
"""
"""What no letter can do without: one sheet, an address and a subject in one face."""
HTML = """<html><style>@page{{size:A4;margin:20mm}}body{{font:10.5pt sans-serif}}table{{width:100%}}</style><body>
<p>{sender}</p><p style="margin-left:91mm">{recipient}</p><p>{date}</p><h4>{subject}</h4>{blocks}</body></html>"""


def letters(n: int) -> Result:
    """Lay out, print and digest the letters of a book of ``n`` entries, all different; letters per second of CPU,
    hence per core."""
    n = max(n // ENTRIES_PER_LETTER, WARM)
    press = Press()
    for number in range(WARM):
        press.letter(_page(-number))
    started_mb = _peak_mb()
    made: list[bytes] = []
    size = 0

    def print_one(number: int) -> None:
        nonlocal size
        pdf = press.letter(_page(number))
        hashlib.sha256(pdf).hexdigest()
        size += len(pdf)
        if number < 1000:
            made.append(pdf)

    ours = _rate(print_one, n)
    peak = _peak_mb()
    bare = [json.dumps(_page(number)) for number in range(min(n, 500))]
    compiler = press.compiler("letter")

    def typst_alone(number: int) -> None:
        press.lay_ready("letter", bare[number])
        compiler.compile(format="pdf", pdf_tags=False)

    limit = _rate(typst_alone, len(bare))
    return Result(
        "letters",
        ours=ours,
        limit=limit,
        unit="letters/s per core",
        n=n,
        details={
            "wanted": WANTED,
            "kb_each": round(size / n / 1000, 1),
            "mb_after_warming": started_mb,
            "mb_at_the_end": peak,
            "bundled_letters_per_second": round(_bundled(press, made), 1),
            "machine": machine(),
            "peer": _peer(),
            "peer_is": "WeasyPrint, the same text and tables as HTML; null where it is not installed",
            "limit_is": "typst alone, warmed, with the same data ready",
            "minimal_letters_per_second": round(_minimal(press, bare), 1),
            "minimal_is": "typst alone on one sheet with an address and a subject, no table and no text",
        },
    )


def _minimal(press: Press, ready: list[str]) -> float:
    source = press.folder / "minimal.typ"
    source.write_text(MINIMAL, encoding="utf-8")
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(press.folder / "fonts")])
    compiler = typst.Compiler(str(source), root=str(press.folder), font_paths=fonts)

    def one(number: int) -> None:
        press.lay_ready("letter", ready[number])
        compiler.compile(format="pdf", pdf_tags=False)

    one(0)
    return _rate(one, len(ready))


def _rate(work: Callable[[int], Any], n: int) -> float:
    started = time.process_time()
    for number in range(n):
        work(number)
    return n / (time.process_time() - started)


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _page(number: int) -> Page:
    lines = LINES[number % len(LINES)]
    names = [f"{abs(number):024x}{line:08x}" for line in range(lines)]
    entries = {
        names[line]: EntryNow(
            entry_id=names[line],
            piece=f"FAC-2026-{number:06d}{line}",
            kind="invoice",
            entry_date=DAY - timedelta(days=60 + line),
            due_date=DAY - timedelta(days=30 - line),
            amount=Decimal(10_000 + 137 * line + number) / 100,
            currency="EUR",
        )
        for line in range(lines)
    }
    action = reminder(
        abs(number),
        f"411{number:06d}",
        tuple(
            ActionEntry(entry_id=one.entry_id, occurrence=1, amount=one.amount, due_date=one.due_date)
            for one in entries.values()
        ),
        step="R3",
        medium="letter",
        due_since=DAY,
    )
    person = Person(f"411{number:06d}", 1, f"Client {number}", address=_address(number))
    template = delivered("R3", "letter", "fr")
    assert template is not None
    table = statement(action, entries, DAY)
    return letter(template, Subjects(action, table, person, SENDER, action.amount, Decimal(0), DAY), "fr")


def _address(number: int) -> tuple[str, ...]:
    return (f"{number % 200} rue du Port", f"{57000 + number % 900} Metz")


def _bundled(press: Press, made: list[bytes]) -> float:
    kept = [
        Kept("C", "R3", "fr", ("C", *_address(n)), Decimal(1), "EUR", 1, pdf, mailing_key(_address(n)))
        for n, pdf in enumerate(made)
    ]
    started = time.process_time()
    letters = pile(kept)
    bundle(
        letters, press.cover(cover_page("Ateliers Delcourt", letters, DAY, "fr", both_sides=True)), both_sides=True
    )
    return len(made) / (time.process_time() - started)


def _peer() -> float | None:
    try:
        html = import_module("weasyprint").HTML
    except ImportError:
        return None
    return round(_rate(lambda number: html(string=_html(_page(number))).write_pdf(), 20), 1)


def _html(page: Page) -> str:
    def text(block: Page) -> str:
        if block["kind"] == "text":
            return "<p>" + "<br>".join("".join(run["text"] for run in line) for line in block["lines"]) + "</p>"
        rows = (
            "".join(f"<td>{cell['text']} {cell['note']}</td>" for cell in row)
            for row in (one["cells"] for one in block["rows"])
        )
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"

    return HTML.format(
        sender="<br>".join(page["sender"]["lines"]),
        recipient="<br>".join(page["recipient"]),
        date=page["date"],
        subject=page["subject"],
        blocks="".join(map(text, page["blocks"])),
    )
