"""Letters and mails about invented invoices, as files: for whoever changes how messages look, and looks at them.

Nothing is read from a database and nothing leaves. The same set comes out every day.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import typst

from contracts.dunning import Action, ActionEntry
from services.notify import formats
from services.notify.delivered import delivered
from services.notify.domain import EntryNow, Person, Sender, Subjects, statement
from services.notify.formats import LOCALES, Medium
from services.notify.letters.layout import letter
from services.notify.letters.press import Press
from services.notify.messages import compose, read
from services.notify.rendering import render

DAY = date(2026, 4, 8)
STEPS = {1: "R1", 12: "R3", 80: "R5"}
"""Lines of the table, and the step whose delivered text stands around them."""
SENDER = Sender(
    name="Nathalie Ferrand",
    email="comptabilite@delcourt.example",
    company_name="Ateliers Delcourt",
    phone="03 87 00 00 12",
    company_address="12 rue des Forges\n57000 Metz",
    bank_details="FR76 3000 4000 0500 0012 3456 789",
    footer="Ateliers Delcourt, SARL au capital de 50 000 €, RCS Metz 123 456 789",
    payment_url="https://payer.delcourt.example/411MUNOZ",
    space_url="https://clients.delcourt.example/d/411MUNOZ",
)
PERSON = Person(
    client_id="411MUNOZ",
    version=1,
    name="Munoz Équipements & Services",
    emails=("compta@munoz.example",),
    address=("Service comptabilité fournisseurs", "Bâtiment C, 2e étage", "1 rue du Port", "57000 METZ"),
    contact_name="Madame Munoz",
)
LOGO = b"""#set page(width: 60mm, height: 20mm, margin: 0pt, fill: none)
#place(left + horizon, circle(radius: 9mm, fill: rgb("28407f")))
#place(left + horizon, dx: 5mm, dy: -3mm, rect(width: 8mm, height: 2mm, fill: white))
#place(left + horizon, dx: 5mm, dy: 1mm, rect(width: 8mm, height: 2mm, fill: white))
#place(left + horizon, dx: 22mm, dy: -4mm, rect(width: 38mm, height: 5mm, fill: rgb("28407f")))
#place(left + horizon, dx: 22mm, dy: 4mm, rect(width: 26mm, height: 3mm, fill: rgb("c9792b")))
"""
"""In typst: shapes alone, for no font is asked for."""
PPI = 300


@dataclass(frozen=True, slots=True)
class Shown:
    """What one message is about. ``amounts`` and ``pieces`` are as its reader sees them; ``due`` is their sum."""

    name: str
    medium: Medium
    language: str
    lines: int
    pieces: tuple[str, ...]
    amounts: tuple[str, ...]
    due: str


def messages(folder: Path) -> list[Shown]:
    """Write every letter (PDF, and PNG by page), every mail (its bytes, HTML and text) and ``index.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [*_letters(folder), *_mails(folder)]
    index = [{name: getattr(one, name) for name in Shown.__slots__} for one in made]
    (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1), encoding="utf-8")
    return made


def _letters(folder: Path) -> Iterator[Shown]:
    press = Press()
    picture = typst.compile(LOGO, format="png", ppi=PPI)
    assert isinstance(picture, bytes)
    logo = press.keep_logo(sha256(picture).hexdigest(), "image/png", picture)
    for language in LOCALES:
        for lines, step in STEPS.items():
            about = _about(lines, step, language, "letter")
            text = delivered(step, "letter", language)
            assert text is not None
            for ending, named in (("logo", logo), ("plain", None)):
                page = letter(text, about, language, logo=named, registered=lines == max(STEPS))
                name = f"letter-{language}-{lines:02}-{ending}"
                (folder / f"{name}.pdf").write_bytes(press.letter(page))
                for number, sheet in enumerate(press.pictures(page), start=1):
                    (folder / f"{name}-{number}.png").write_bytes(sheet)
                yield _shown(name, about, "letter", language)


def _mails(folder: Path) -> Iterator[Shown]:
    at = datetime(DAY.year, DAY.month, DAY.day, 7, tzinfo=UTC)
    for language in LOCALES:
        for lines, step in STEPS.items():
            about = _about(lines, step, language, "email")
            text = delivered(step, "email", language)
            assert text is not None
            name = f"mail-{language}-{lines:02}"
            rendered = render(text.subject, text.body, about, language)
            mail = compose(rendered, about.sender, PERSON.emails, f"<{name}@delcourt.example>", at)
            (folder / f"{name}.eml").write_bytes(mail.raw)
            kept = read(mail.raw)  # what a mail program finds in them
            (folder / f"{name}.html").write_text(kept.html, encoding="utf-8")
            (folder / f"{name}.txt").write_text(f"{kept.subject}\n\n{kept.text}", encoding="utf-8")
            yield _shown(name, about, "email", language)


def _about(lines: int, step: str, language: str, medium: Medium) -> Subjects:
    """Invoices of some months, every tenth line a credit note, one text as long as programs allow."""
    entries = {one.entry_id: one for one in map(_entry, range(lines))}
    net = sum((one.amount for one in entries.values()), Decimal(0))
    level = int(step[1:])
    action = Action(
        action_id=UUID(int=lines),
        client_id=PERSON.client_id,
        profile="Standard",
        scenario_version=1,
        kind="reminder",
        step=step,
        medium=medium,
        currency="EUR",
        amount=sum((one.amount for one in entries.values() if one.amount > 0), Decimal(0)),
        net_amount=net,
        book_net_amount=net,
        due_since=DAY,
        entries=tuple(
            ActionEntry(
                entry_id=one.entry_id,
                occurrence=1,
                amount=one.amount,
                due_date=one.due_date,
                level_before=f"R{level - 1}" if level > 1 else None,
            )
            for one in entries.values()
        ),
    )
    person = replace(
        PERSON, language=language, contact_name=PERSON.contact_name if language == "fr" else "Ms Munoz"
    )
    return Subjects(action, statement(action, entries, DAY), person, SENDER, net, Decimal(0), DAY)


def _entry(number: int) -> EntryNow:
    credit = number % 10 == 9
    amount = Decimal(125_050 + 13_791 * number * number) / 100
    on = DAY - timedelta(days=200 - number)
    return EntryNow(
        entry_id=f"{number:032x}",
        piece=f"AV-2025-{number:05}" if credit else f"FAC-2025-{number:05}",
        kind="credit_note" if credit else "invoice",
        entry_date=on,
        due_date=on + timedelta(days=45),
        amount=-amount / 8 // 1 if credit else amount,
        currency="EUR",
    )


def _shown(name: str, about: Subjects, medium: Medium, language: str) -> Shown:
    table = about.statement
    return Shown(
        name=name,
        medium=medium,
        language=language,
        lines=len(table.lines),
        pieces=tuple(line.piece for line in table.lines),
        amounts=tuple(formats.amount(abs(line.amount), table.currency, language, medium) for line in table.lines),
        due=formats.amount(table.amount_due, table.currency, language, medium),
    )
