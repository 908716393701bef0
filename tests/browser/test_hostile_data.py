"""What clients, entries and notes are called stays words in a real browser, in mails and on every page."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from cli.pictures import sign_in
from services.notify.delivered import delivered
from services.notify.rendering import render
from tests.browser.conftest import Site, settled
from tests.browser.test_access import PAGES, overflow
from tests.specs.notify.given import about, entry
from tests.specs.notify.hostile import NAMES
from tests.specs.notify.test_hostile_data import EVERYTHING, named

EVIL = "".join(NAMES[:2])


class Watch:
    """What a page did that words cannot do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def nothing_happened(self) -> None:
        assert self.page.evaluate("window.hacked === undefined")
        assert [url for url in self.asked if "evil" in url] == []
        assert self.dialogs == []


@pytest.mark.parametrize("width", [360, 1200])
def test_mails_show_words_and_fit(browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    watch = Watch(page)
    for name in (*NAMES, "Diaz"):
        page.set_content(render("%client_name%", EVERYTHING, named(name), "fr", "email", "html").html)
        watch.nothing_happened()
        assert overflow(page) <= 0, name
        assert page.locator("h1, script, svg, img").count() == 0
    page.close()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_delivered_mail_fits_a_phone_and_a_desk(browser: Browser, width: int, language: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    entries = [entry(f"FAC-2026-{n:05d}", f"{100_000 + n * 311}.50") for n in range(12)]
    for step in ("notice", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "thanks"):
        text = delivered(step, "email", language)
        assert text is not None
        kind = step if step in ("notice", "thanks") else "reminder"
        subjects = about(*entries, entry("AV-2026-00012", "-22000.40"), kind=kind, step=step)
        sender = replace(subjects.sender, payment_url="https://p.example", bank_details="FR76 3000 4000 0500")
        page.set_content(render(text.subject, text.body, replace(subjects, sender=sender), language).html)
        assert overflow(page) <= 0, step
    page.close()


@pytest.fixture
def page(played: Site, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    yield page
    page.close()


def test_every_page_shows_words(played: Site, page: Page) -> None:
    assert played.fakes is not None
    watch = Watch(page)
    played.fakes.said_by_data = EVIL
    seen = 0
    for path in PAGES:
        answer = page.goto(f"{played.url}/c/{played.company}/{path}")
        assert answer is not None
        assert answer.status == 200, path
        settled(page)
        watch.nothing_happened()
        assert page.locator("img[src*=evil]").count() == 0, path
        seen += "window.hacked=1" in page.content()
    played.fakes.said_by_data = ""
    assert seen > len(PAGES) // 3, "the words do stand on the pages"
