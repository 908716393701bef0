"""A client's answer on the pages (rule 22.33): the alert, the text beside the message, and what takes it away."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.demo import LOGIN, create_person
from cli.demo_book import COMPANY
from cli.main_job import import_file
from cli.pictures import sign_in, whole
from cli.road import email_actions
from cli.trial import Trial
from tests.browser.conftest import PICTURES
from tests.browser.test_last_look import CLIENTS, book
from tests.waiting import asked_until

DAY = date(2026, 11, 24)
LEAST_SECONDS = 60
WORDS = "Bonjour, le virement de 1 200 euros part vendredi. <b>Lise</b>"


@dataclass
class Running:
    trial: Trial
    password: str

    @property
    def url(self) -> str:
        return f"{self.trial.stack.url('console')}/c/{COMPANY}"


def answer(message_id: str, sender: str) -> bytes:
    return (
        f"From: Lise <{sender}>\nTo: relance@delcourt.example\nSubject: Re: Rappel\nMessage-ID: <a1@example.org>\n"
        f"In-Reply-To: {message_id}\nContent-Type: text/plain; charset=utf-8\n\n{WORDS}\n"
    ).encode()


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, ready: Callable[[str], Path], front_end: None
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("answers")
    reports = folder / "reports" / COMPANY
    reports.mkdir(parents=True)
    notify = {
        "RELANCE_REPORTS_DIR": str(reports.parent),
        "RELANCE_REPORTS_PAUSE_SECONDS": "0.5",
        "RELANCE_PUBLIC_URL": "http://127.0.0.1:9",
        "RELANCE_PIXEL_SECRET": "s3cret",
    }
    with Trial(ready("data"), as_of=DAY, environment={"notify": notify}) as trial:
        road = trial.road(COMPANY, DAY)
        road.register("Ateliers Delcourt")
        imported = import_file(road, book(folder), "example.org")
        road.round(DAY, imported["positions"])
        mails = email_actions(road.tasks(DAY))
        assert len(mails) == len(CLIENTS)
        road.confirm(mails, DAY)
        asked_until(lambda found: found["sent"] == len(CLIENTS), lambda: road.sending_of(mails), LEAST_SECONDS)
        (sent,) = road.ask("notify", "/messages", client_id="PROMESSE")["messages"]
        hidden = reports / ".1.eml"
        hidden.write_bytes(answer(sent["message_id"], sent["recipients"][0]))
        os.utime(hidden, (time.time() - 60,) * 2)
        hidden.rename(reports / "1.eml")
        alerts = asked_until(
            lambda found: found["counts"]["reply"] == 1,
            lambda: road.ask("reporting", "/alerts", as_of=f"{DAY}"),
            LEAST_SECONDS,
        )
        assert alerts["counts"]["reply"] == 1
        road.set_sender({"track_opens": True})
        road.close()
        yield Running(trial, create_person(trial))


@pytest.fixture(params=(1440, 390))
def page(request: pytest.FixtureRequest, running: Running, browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(locale="fr-FR", viewport={"width": request.param, "height": 900})
    sign_in(opened, running.trial.stack.url("console"), LOGIN, running.password)
    yield opened
    opened.close()


def show(page: Page, name: str) -> None:
    if PICTURES:
        whole(page)
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def test_an_answer_is_found_read_and_dealt_with(running: Running, page: Page) -> None:
    """At both widths the alert is there; the last one takes it away."""
    page.goto(f"{running.url}/alerts?kind=reply")
    row = page.locator("tbody tr", has_text="Société PROMESSE")
    expect(row).to_be_visible()
    show(page, "alerts")
    page.goto(f"{running.url}/client?client_id=PROMESSE")
    expect(page.locator(".page-header")).to_contain_text("A répondu le")
    show(page, "client")
    page.locator(".page-header").get_by_role("link", name="A répondu").click()
    expect(page.locator("main")).to_contain_text(WORDS)
    show(page, "message")
    if page.viewport_size and page.viewport_size["width"] == 390:
        page.get_by_role("button", name="Réponse traitée").click()
        expect(page.get_by_role("button", name="Réponse traitée")).to_have_count(0)
        page.goto(f"{running.url}/activities?kind=reply")
        expect(page.locator("tbody")).to_contain_text("Réponse par e-mail")


def test_consent_to_openings_is_noted_beside_the_address(running: Running, page: Page) -> None:
    page.goto(f"{running.url}/client?client_id=STOP")
    page.locator("#contacts").get_by_role("button", name="Noter son accord").click()
    expect(page.get_by_role("status").first).to_contain_text("accord au suivi des ouvertures")
    show(page, "consent")
    page.locator("#contacts").get_by_role("button", name="retirer l’accord").click()
    expect(page.locator("#contacts").get_by_role("button", name="Noter son accord")).to_be_visible()


def test_the_pages_of_mail_that_comes_and_goes(running: Running, page: Page) -> None:
    for name in ("inbox", "sender"):
        page.goto(f"{running.url}/{name}")
        expect(page.locator("main")).to_be_visible()
        show(page, name)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
