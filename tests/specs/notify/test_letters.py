"""Letters (rules 7.6, 9.2, 13.6): what stands on the pages, and where the post looks for the address."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pypdfium2
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.delivered import NAMES, Text, delivered
from services.notify.letters.bundle import A4, Kept, bundle, cover_page, pages_of, pile, text_of
from services.notify.letters.layout import Page, letter, widest
from services.notify.letters.postal import mailing_key, recipient_lines, spelled_out
from services.notify.letters.press import Press
from services.notify.rendering import render
from tests.specs.notify.given import PERSON, SENDER, about, entry
from tests.specs.notify.measured import ENVELOPES, MM, boxes, windows
from tests.specs.notify.pictures import png

COMPANY = replace(
    SENDER,
    company_address="12 rue des Forges\n57000 Metz",
    bank_details="FR76 3000 4000 0500 0012 3456 789",
    footer="Ateliers Delcourt, SARL au capital de 50 000 €, RCS Metz 123 456 789",
)
LONG = ("Service comptabilité fournisseurs", "Bâtiment C, 2e étage, porte gauche", "1 rue du Port", "57000 METZ")
HOSTILE = '#eval("1+1") $x$ *bold* _it_ @ref <label> \\ `raw` // no /* end'


@pytest.fixture(scope="module")
def press() -> Press:
    return Press()


def invoices(count: int, credit: bool = False) -> list[Any]:
    found = [entry(f"FAC-2026-{n:05d}", f"{100 + n}.50", due=date(2026, 3, 1 + n % 20)) for n in range(count)]
    return [*found, entry("AV-2026-1", "-20.40")] if credit else found


def page(count: int = 1, *, step: str = "R3", language: str = "fr", **more: Any) -> Page:
    """A letter as the delivered template writes it."""
    person = replace(
        PERSON, language=language, address=more.pop("address", LONG), name=more.pop("name", PERSON.name)
    )
    template = more.pop("template", None) or delivered(step, "letter", language)
    entries = more.pop("entries", None) or invoices(count)
    subjects = about(*entries, step=step, sender=more.pop("sender", COMPANY), person=person)
    return letter(template, subjects, language, **more)


@pytest.mark.parametrize(
    "address", [("57000 METZ",), LONG, (*LONG[:3], "Zone industrielle de la Maxe", "BP 12", *LONG[3:])]
)
@pytest.mark.parametrize(
    "name", ["Giraud & Diaz", "SOCIETE MESSINE DE TRAVAUX PUBLICS ET DE GENIE CIVIL DU GRAND EST"]
)
@pytest.mark.parametrize("envelope", ENVELOPES)
def test_a_window_shows_the_whole_address_and_nothing_else(
    press: Press, envelope: str, name: str, address: tuple[str, ...]
) -> None:
    """Wherever the sheet lies in the envelope (rule 13.6)."""
    pdf = press.letter(page(3, name=name, address=address, registered=True))
    shown = boxes(pdf)
    recipient = "".join(recipient_lines(name, address)).replace(" ", "")
    for left, top, right, bottom in windows(ENVELOPES[envelope]):
        inside = [c for c, x0, y0, x1, y1 in shown if x1 > left and x0 < right and y1 > top and y0 < bottom]
        whole = [c for c, x0, y0, x1, y1 in shown if x0 >= left and x1 <= right and y0 >= top and y1 <= bottom]
        assert "".join(whole) == recipient
        assert inside == whole, "nothing is cut by the edge of the window, and nothing else is to be read"


def test_the_box_of_the_address_is_the_one_that_printers_ask_for(press: Press) -> None:
    """110 mm from the left, 55 mm from above, 85 mm wide, 33 mm high."""
    places = [one for one in boxes(press.letter(page(1))) if one[1] > 100 and one[2] < 90]
    assert min(one[1] for one in places) >= 110
    assert max(one[3] for one in places) <= 195
    assert min(one[2] for one in places) >= 55
    assert max(one[4] for one in places) <= 88


@pytest.mark.parametrize(("lines", "pages"), [(1, 1), (12, 1), (80, 3)])
def test_tables_go_on_over_pages_with_their_heads_and_numbers(press: Press, lines: int, pages: int) -> None:
    pdf = press.letter(page(entries=invoices(lines, credit=True)))
    assert pages_of(pdf) == pages
    texts = [one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(pdf)]
    assert all("N° de facture" in text for text in texts)
    assert [f"Page {n} sur {pages}" in text for n, text in enumerate(texts, 1)] == [pages > 1] * pages
    pieces = [f"FAC-2026-{number:05d}" for number in range(lines)]
    assert all("".join(texts).count(piece) == 1 for piece in pieces)
    assert "Somme due" in texts[-1]
    assert "20,40" in texts[-1]
    assert texts[-1].index("Somme due") < texts[-1].index("salutations") < texts[-1].index("Nathalie Ferrand")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_a_letter_says_what_its_template_says(name: str, language: str) -> None:
    """The same lines as the text of the message, which the tags' own specs look at."""
    kind = {"notice": "notice", "thanks": "thanks"}.get(name, "reminder")
    template = delivered(name, "letter", language)
    assert template is not None
    template = replace(
        template, body=template.body + "\n%salesperson% · %tag1%\nBonjour %contact_name%, %%\n**%total%**"
    )
    subjects = about(*invoices(2), kind=kind, sender=COMPANY, person=replace(PERSON, contact_name=""))
    text = render(template.subject, template.body, subjects, language, "letter").text
    made = letter(template, subjects, language)
    lines = [
        "".join(run["text"] for run in line).replace("\u200b", "")
        for block in made["blocks"]
        if block["kind"] == "text"
        for line in block["lines"]
    ]
    table = {"- FAC", "Somme due", "Amount due"}
    wanted = [line for line in text.splitlines() if line and not any(line.startswith(one) for one in table)]
    assert lines == wanted
    assert lines[-1] == wanted[-1] != ""
    assert made["blocks"][-1]["lines"][-1][0]["bold"]


def test_amounts_are_written_as_the_reader_writes_them(press: Press) -> None:
    entries = [entry("A", "12345.6"), entry("B", "-5")]
    french = text_of(press.letter(page(entries=entries)))
    english = text_of(press.letter(page(entries=entries, language="en")))
    assert "12\u202f345,60" in french
    assert "12\u202f340,60" in french
    assert "€12,345.60" in english
    assert "Subject: " in english


def test_the_same_letter_is_the_same_bytes_whenever_and_wherever_it_is_made(press: Press) -> None:
    wanted = [page(n) for n in (1, 12)]
    first = [press.letter(one) for one in wanted]
    other = Press()
    assert [other.letter(one) for one in reversed(wanted)] == first[::-1]
    assert b"/CreationDate(D:20260408" in first[0], "the letter's own day, not that of the clock"


@pytest.mark.parametrize("where", ["name", "address", "piece", "sender", "template", "footer"])
def test_nothing_that_people_write_is_read_as_markup(press: Press, where: str) -> None:
    more: dict[str, Any] = {
        "name": {"name": HOSTILE},
        "address": {"address": (HOSTILE, "57000 METZ")},
        "piece": {"entries": [entry(HOSTILE, "10")]},
        "sender": {"sender": replace(COMPANY, company_name=HOSTILE)},
        "template": {"template": Text(HOSTILE, HOSTILE.replace("_it_", "**it**") + "\n\n%tableau_comptable%")},
        "footer": {"sender": replace(COMPANY, footer=HOSTILE)},
    }[where]
    text = "".join(text_of(press.letter(page(**more))).split())
    for part in ('#eval("1+1")', "$x$", "@ref", "<label>", "`raw`", "/*end"):
        assert part in text.replace("\u200b", "").replace("\ufffe", ""), part


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=120), st.text(max_size=120))
def test_any_text_can_be_printed(one: str, other: str) -> None:
    entries = [entry(one or "x", "10")]
    made = page(
        name=one, address=(other, "57000 METZ"), entries=entries, sender=replace(COMPANY, company_name=other)
    )
    assert json.loads(json.dumps(made)) == made
    assert pages_of(ANY_TEXT.letter(made)) >= 1


ANY_TEXT = Press()


def test_no_word_is_wider_than_its_place(press: Press) -> None:
    pdf = press.letter(page(entries=[entry("F" * 400, "10")], name="N" * 200, address=("A" * 200, "57000 METZ")))
    assert max(one[3] for one in boxes(pdf)) <= 190.5
    table = [one for one in boxes(pdf) if one[0] == "F" and one[2] > 110]
    assert max(one[3] for one in table) < 100, "the number stays in its column"


def test_a_logo_stands_above_the_sender(press: Press) -> None:
    name = press.keep_logo("ab" * 32, "image/png", png(300, 100))
    with_logo, without = press.letter(page(1, logo=name)), press.letter(page(1))
    sheet = pypdfium2.PdfDocument(with_logo)[0]
    (image,) = [one for one in sheet.get_objects() if one.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]
    left, bottom, right, top = (place / MM for place in image.get_bounds())
    assert (left, right) == (pytest.approx(20, abs=0.5), pytest.approx(71, abs=0.5))
    assert 297 - top == pytest.approx(12, abs=0.5)
    senders = [min(one[2] for one in boxes(pdf)) for pdf in (without, with_logo)]
    assert senders[1] > 297 - bottom > senders[0]
    assert max(one[4] for one in boxes(with_logo) if one[1] < 90 and one[2] < 70) < 57


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (("1 rue du Port", "57000 METZ"), ("", "57000", "metz", "1 rue du port")),
        (("1 rue du Port", "57000 Metz Cedex 3", "France"), ("", "57000", "metz cedex 3", "1 rue du port")),
        (("Rue Haute 4", "L-1234 Luxembourg", "LUXEMBOURG"), ("luxembourg", "1234", "luxembourg", "rue haute 4")),
        (("Bahnhofstr. 1", "8001 Zürich", "Suisse"), ("suisse", "8001", "zurich", "bahnhofstr. 1")),
        (("12345 lieu-dit", "quelque part"), ("quelque part", "12345", "lieu-dit", "")),
        (("Sans code",), ("", "~", "sans code", "")),
        ((), ("", "~", "", "")),
    ],
)
def test_the_post_sorts_by_country_postcode_town_and_street(
    address: tuple[str, ...], key: tuple[str, ...]
) -> None:
    assert mailing_key(address) == key


def test_a_country_is_written_out_in_capitals() -> None:
    assert spelled_out(("1 rue du Port", " ", "57000 METZ", "FR")) == ("1 rue du Port", "57000 METZ", "FRANCE")
    assert spelled_out(("Rue Haute 4", "1000 Bruxelles", "BE"))[-1] == "BELGIQUE"
    for kept in ((), ("1 rue du Port",), ("57000 METZ", "France"), ("57000 METZ", "XQ")):
        assert spelled_out(kept) == kept
    assert mailing_key(spelled_out(("57000 METZ", "FR")))[0] == ""


def test_a_window_has_seven_lines_and_keeps_name_street_and_town() -> None:
    assert recipient_lines(" A ", ("", "b  c", "57000 METZ")) == ["A", "b c", "57000 METZ"]
    many = recipient_lines("Nom", [f"ligne {n}" for n in range(9)])
    assert len(many) == 7
    assert many[0] == "Nom"
    assert many[-1] == "ligne 8"
    assert ", ".join(many).count("ligne") == 9


def kept(client: str, town: str, pages: int, pdf: bytes) -> Kept:
    address = (f"Client {client}", town)
    return Kept(client, "R3", "fr", address, Decimal(10), "EUR", pages, pdf, mailing_key(address[1:]))


def test_a_pile_is_one_pdf_under_its_list_and_each_letter_begins_a_sheet(press: Press) -> None:
    """Rule 9.7."""
    short, long = press.letter(page(1, name="Court")), press.letter(page(80, name="Long"))
    letters = pile(
        [kept("3", "75001 PARIS", 1, short), kept("2", "57000 METZ", 3, long), kept("1", "57000 METZ", 1, short)]
    )
    assert [one.client_id for one in letters] == ["1", "2", "3"]
    for both_sides, starts in ((False, [1, 2, 5]), (True, [1, 3, 7])):
        list_of = cover_page("Ateliers Delcourt", letters, date(2026, 4, 8), "fr", both_sides=both_sides)
        assert [int(row["from_page"]) for row in list_of["rows"]] == starts
        whole = bundle(letters, press.cover(list_of), both_sides=both_sides)
        texts = [one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(whole)]
        cover_pages = 2 if both_sides else 1
        for start, one in zip(starts, letters, strict=True):
            assert (
                texts[cover_pages + start - 1]
                == text_of(one.pdf).split("\n\x00")[0][: len(texts[cover_pages + start - 1])]
            )
        assert "3 courriers · 5 pages" in texts[0]
        sizes = {tuple(round(side) for side in one.get_size()) for one in pypdfium2.PdfDocument(whole)}
        assert sizes == {tuple(round(side) for side in A4)}


def test_no_character_is_wider_than_the_rows_of_one_line_allow(press: Press) -> None:
    characters = [one for one in map(chr, range(0x20, 0x180)) if one.isprintable()]
    characters += ["\u00a0", "\u202f", "\u2212", "\u20ac"]
    press.lay_ready("characters", json.dumps(characters))
    source = press.folder / "characters.typ"
    source.write_text(
        '#set text(font: "Source Sans Pro", size: 10pt, number-width: "tabular")\n'
        '#let wide(one) = (measure(one).width.pt(), measure(text(weight: "bold", one)).width.pt())\n'
        '#context [#metadata(json("characters.json").map(wide)) <widths>]'
    )
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(press.folder / "fonts")])
    found = typst.Compiler(str(source), root=str(press.folder), font_paths=fonts).query(
        "<widths>", field="value", one=True
    )
    for one, widths in zip(characters, json.loads(found), strict=True):
        assert max(widths) <= widest(one) * 10, one


WIDE = "MWM@ " * 40


@pytest.mark.parametrize(
    "said", ["", "Merci de régler au plus vite. " * 30, WIDE, "W" * 200, f"{'m' * 40} {WIDE}"]
)
@pytest.mark.parametrize("step", ["R1", "R3"])
def test_what_is_said_to_take_one_sheet_does_and_looks_as_if_it_had_been_counted(
    press: Press, step: str, said: str
) -> None:
    """A page that does not ask where it stands is made in less time."""
    written = delivered(step, "letter", "fr")
    assert written is not None
    template = replace(written, body=f"{written.body}\n\n{said}")
    longest = next(
        (made for count in range(20, 0, -1) if (made := page(count, step=step, template=template))["one_sheet"]),
        None,
    )
    if longest is None:
        return  # so much text that nobody is sure
    pdf = press.letter(longest)
    assert pages_of(pdf) == 1
    assert press.letter(longest | {"one_sheet": False}) == pdf


def test_one_line_takes_one_sheet_and_eighty_do_not() -> None:
    assert page(1)["one_sheet"]
    assert not page(80)["one_sheet"]


def test_a_row_whose_width_nobody_knows_is_as_tall_as_it_has_to_be(press: Press) -> None:
    known, long, foreign = (
        [row["single"] for block in one["blocks"] if block["kind"] == "table" for row in block["rows"]]
        for one in (
            page(1),
            page(entries=[entry("F" * 60, "10")]),
            page(entries=[entry("請求書", "10")]),
        )
    )

    assert known == [True]
    assert long == foreign == [False]
    text = "".join(text_of(press.letter(page(entries=[entry("FAC " * 30, "10")]))).split())
    assert "FAC" * 30 in text
