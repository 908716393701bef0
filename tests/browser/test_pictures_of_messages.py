"""Letters as pages and mails as windows show them, measured: one line, twelve and eighty, French and English.

``relance pictures messages --to FOLDER`` makes the same set for people to look at.
"""

import re
from email import policy
from email.parser import BytesParser
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import Browser

from cli.message_pictures import WIDTHS, Sight, look
from services.notify.gallery import PERSON, STEPS, Shown, messages
from services.notify.letters.postal import recipient_lines
from tests.specs.notify.measured import ENVELOPES, MM, boxes, windows

HEADS = {"fr": ("N° de facture", "Échéance", "Montant"), "en": ("Invoice no.", "Due date", "Amount")}
DUE = {"fr": "Somme due", "en": "Amount due"}
PAGE = {"fr": "Page {} sur {}", "en": "Page {} of {}"}
MARGIN_MM = 20
SPACES = re.compile(r"\s+")


def flat(text: str) -> str:
    """Without the spaces that a PDF, a browser and a text each write their own way."""
    return SPACES.sub("", text.replace("\ufffe", ""))


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Shown]]:
    folder = tmp_path_factory.mktemp("messages")
    return folder, messages(folder)


@pytest.fixture(scope="module")
def seen(gallery: tuple[Path, list[Shown]], browser: Browser) -> dict[str, list[Sight]]:
    sights = look(browser, gallery[0])
    return {name: [one for one in sights if one.name == name] for name in {one.name for one in sights}}


def of(made: list[Shown], medium: str) -> list[Shown]:
    found = [one for one in made if one.medium == medium]
    assert {one.lines for one in found} == set(STEPS)
    assert {one.language for one in found} == set(DUE)
    return found


def test_every_page_of_a_letter_has_its_head_and_number_and_only_the_last_its_total(
    gallery: tuple[Path, list[Shown]],
) -> None:
    folder, made = gallery
    for one in of(made, "letter"):
        pdf = (folder / f"{one.name}.pdf").read_bytes()
        texts = [sheet.get_textpage().get_text_range() for sheet in pypdfium2.PdfDocument(pdf)]
        assert len(list(folder.glob(f"{one.name}-[0-9].png"))) == len(texts) == (3 if one.lines > 40 else 1)
        for number, text in enumerate(texts, start=1):
            last = number == len(texts)
            assert all(head in text for head in HEADS[one.language]), one.name
            assert (PAGE[one.language].format(number, len(texts)) in text) == (len(texts) > 1)
            table = text.partition(HEADS[one.language][0])[2]
            assert (DUE[one.language] in table) == last, "a sum in the middle would be read as the whole"
        whole = flat("".join(texts))
        assert all(whole.count(flat(piece)) == 1 for piece in one.pieces)
        assert all(flat(amount) in whole for amount in (*one.amounts, one.due))


def test_nothing_of_a_letter_leaves_its_margins_and_no_rows_run_into_each_other(
    gallery: tuple[Path, list[Shown]],
) -> None:
    folder, made = gallery
    for one in of(made, "letter"):
        pdf = (folder / f"{one.name}.pdf").read_bytes()
        for number in range(len(pypdfium2.PdfDocument(pdf))):
            places = boxes(pdf, number)
            assert min(left for _, left, *_ in places) >= MARGIN_MM - 0.5
            assert max(right for *_, right, _ in places) <= 210 - MARGIN_MM + 0.5
            assert max(bottom for *_, bottom in places) <= 297 - 8, "printers leave the edge of a sheet empty"
            across = sorted((left, right, top, bottom) for _, left, top, right, bottom in places)
            for index, (left, right, top, bottom) in enumerate(across):
                for other in across[index + 1 :]:
                    if other[0] >= right - 0.3:
                        break
                    over = min(bottom, other[3]) - max(top, other[2])
                    assert over <= 0.3 or other[0] - left < 0.01, (one.name, number, (left, top), other)


def test_the_window_shows_the_address_on_page_one_with_and_without_a_logo(
    gallery: tuple[Path, list[Shown]],
) -> None:
    """Rule 13.6; the logo stands inside the margins, above the sender."""
    folder, made = gallery
    recipient = "".join(recipient_lines(PERSON.name, PERSON.address)).replace(" ", "")
    for one in of(made, "letter"):
        pdf = (folder / f"{one.name}.pdf").read_bytes()
        shown = boxes(pdf)
        for envelope in ENVELOPES.values():
            for left, top, right, bottom in windows(envelope):
                inside = [
                    c for c, x0, y0, x1, y1 in shown if x1 > left and x0 < right and y1 > top and y0 < bottom
                ]
                assert "".join(inside) == recipient, one.name
        images = [
            picture
            for picture in pypdfium2.PdfDocument(pdf)[0].get_objects()
            if picture.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
        ]
        assert len(images) == one.name.endswith("-logo")
        for image in images:
            left, low, right, high = (place / MM for place in image.get_bounds())
            assert left >= MARGIN_MM - 0.5
            assert right <= 111, "left of the window"
            assert 297 - high >= 8
            assert 297 - low <= min(top for _, x, top, *_ in shown if x < 100)


def test_a_mail_is_read_on_a_phone_and_on_a_computer_without_scrolling_sideways(
    gallery: tuple[Path, list[Shown]], seen: dict[str, list[Sight]]
) -> None:
    for one in of(gallery[1], "email"):
        assert sorted(sight.width for sight in seen[one.name]) == sorted(WIDTHS)
        for sight in seen[one.name]:
            assert (sight.scrolls, sight.over, sight.cut, sight.small) == (0, (), (), ()), (one.name, sight.width)
            text = flat(sight.text)
            assert all(flat(said) in text for said in (*one.pieces, *one.amounts, one.due))
            assert sight.picture.stat().st_size > 1000


def test_the_text_of_a_mail_says_what_its_html_says(gallery: tuple[Path, list[Shown]]) -> None:
    """For those who read no HTML: each number, each amount, what is due, where it is paid."""
    folder, made = gallery
    for one in of(made, "email"):
        message = BytesParser(policy=policy.default).parsebytes((folder / f"{one.name}.eml").read_bytes())
        part = message.get_body(("plain",))
        assert part is not None
        text = flat(part.get_content())
        assert all(text.count(flat(piece)) == 1 for piece in one.pieces)
        assert all(flat(amount) in text for amount in (*one.amounts, one.due))
        assert "https://payer.delcourt.example/411MUNOZ" in text
        assert "FR763000400005000012" in text
