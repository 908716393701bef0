"""A pile of letters as one PDF, from the very bytes that are kept: nothing is laid out again."""

import io
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pypdfium2

from services.notify import formats
from services.notify.letters.layout import Page, shown
from services.notify.words import WORDS

A4 = (595.276, 841.89)

_ONE_AT_A_TIME = threading.Lock()
"""PDFium is not made for several threads."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter as it was kept. ``address`` is what stands in the window, the name included."""

    client_id: str
    step: str
    language: str
    address: tuple[str, ...]
    amount: Decimal
    currency: str
    pages: int
    pdf: bytes
    mailing_key: tuple[str, ...] = ()
    registered: bool = False
    registered_number: str = ""


def pages_of(pdf: bytes) -> int:
    """How many pages it has."""
    with _ONE_AT_A_TIME, closing(pypdfium2.PdfDocument(pdf)) as document:
        return len(document)


def text_of(pdf: bytes) -> str:
    """What can be read on its pages."""
    with _ONE_AT_A_TIME, closing(pypdfium2.PdfDocument(pdf)) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def pile(letters: Sequence[Kept]) -> list[Kept]:
    """In the order of the post: country, postcode, town, street, name."""
    return sorted(letters, key=lambda one: (one.mailing_key, one.address, one.client_id, one.step))


def bundle(letters: Sequence[Kept], cover: bytes | None = None, *, both_sides: bool = False) -> bytes:
    """One PDF, in the order given. For printing on both sides each letter begins on a sheet of its own."""
    made = io.BytesIO()
    with _ONE_AT_A_TIME, closing(pypdfium2.PdfDocument.new()) as whole:
        for pdf in [*([cover] if cover else []), *(one.pdf for one in letters)]:
            with closing(pypdfium2.PdfDocument(pdf)) as part:
                whole.import_pages(part)
            if both_sides and len(whole) % 2:
                whole.new_page(*A4)
        whole.save(made)
    return made.getvalue()


def cover_page(company: str, letters: Sequence[Kept], as_of: date, language: str, *, both_sides: bool) -> Page:
    """The list that lies on the pile. ``from_page`` counts the pages that follow the list."""
    words = WORDS[language]
    rows: list[Page] = []
    at = 1
    for number, one in enumerate(letters, start=1):
        town = one.address[-1] if len(one.address) > 1 else ""
        mention = one.registered_number or (words["cover_registered"] if one.registered else "")
        rows.append(
            {
                "number": str(number),
                "name": shown(one.address[0] if one.address else one.client_id),
                "code": shown(one.client_id),
                "town": shown(town),
                "mention": shown(mention),
                "step": one.step,
                "amount": formats.amount(one.amount, one.currency, language, "letter"),
                "pages": str(one.pages),
                "from_page": str(at),
            }
        )
        at += one.pages + (one.pages % 2 if both_sides else 0)
    sheets = sum(one.pages for one in letters)
    return {
        "language": language,
        "title": words["cover_title"],
        "company": shown(company),
        "date": words["on_day"].format(day=formats.long_date(as_of, language)),
        "summary": " · ".join((_counted(words, "letters", len(letters)), _counted(words, "pages", sheets))),
        "page": words["page"],
        "columns": [
            words["piece_short"],
            words["cover_client"],
            words["cover_town"],
            words["cover_step"],
            words["amount_due"],
            words["cover_sheets"],
            words["cover_from_page"],
        ],
        "rows": rows,
    }


def _counted(words: Mapping[str, str], what: str, count: int) -> str:
    return words[f"cover_{what}_one"] if count == 1 else words[f"cover_{what}_many"].format(count=count)
