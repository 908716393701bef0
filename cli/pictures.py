"""``relance pictures``: the demonstration as docs/pictures shows it, on a computer and on a phone."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from cli.places import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from cli.stack import Report

PICTURES = ROOT / "docs" / "pictures"
DAY = date(2026, 11, 24)
"""The demonstration is made for a day, so that two sets of pictures may be compared."""
WIDTHS = {1440: 1.0, 390: 1.5}
"""Width in CSS pixels: pixels per CSS pixel."""
HEIGHT = 900
HIGHEST = 1800
"""What lies below is more of the same."""
OPEN_INVOICES = """Code;Raison sociale;N° facture;Date facture;Echéance;Montant TTC;Réglée le
411MUNOZ;Munoz S.A.;FA-2026-0412;02/09/2026;02/10/2026;1 250,50;
411PARC;Hôtel du Parc;FA-2026-0433;14/09/2026;14/10/2026;873,20;
411PARC;Hôtel du Parc;AV-2026-0021;20/09/2026;20/09/2026;-120,00;
411GIRAUD;Giraud et fils;FA-2026-0440;28/09/2026;28/10/2026;4 312,00;30/10/2026
"""
"""A list as many programmes give it; the wizard guesses its columns."""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=fr-FR", "--hide-scrollbars")
SETTLED_MILLISECONDS = 600
SIMULATED_MILLISECONDS = 120_000


class BrowserMissing(Exception):
    """No Chromium is installed on this machine."""

    def __init__(self) -> None:
        super().__init__("Chromium is needed for this; install it, or name it in RELANCE_CHROMIUM")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, without a window. Raises ``BrowserMissing``."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("RELANCE_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise BrowserMissing
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=list(ARGUMENTS),
            env={**os.environ, "LANGUAGE": "fr_FR", "LANG": "fr_FR.UTF-8"},
        )
        try:
            yield browser
        finally:
            browser.close()


def sign_in(page: Page, console: str, login: str, password: str) -> None:
    """From the sign-in form to the first page."""
    page.goto(f"{console}/login")
    page.fill("#email", login)
    page.fill("#password", password)
    page.click("form[action='/login'] button")
    page.wait_for_url("**/c/*/home")


def whole(page: Page, most: int | None = None) -> None:
    """Make the window as high as the page, or ``most``: what sticks to an edge then stands where it belongs."""
    page.wait_for_timeout(SETTLED_MILLISECONDS)
    width = page.viewport_size["width"] if page.viewport_size else max(WIDTHS)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(min(int(height), most or int(height)), HEIGHT)})
    page.wait_for_timeout(SETTLED_MILLISECONDS)


def addresses(page: Page, company: str) -> dict[str, str]:
    """The pages to show by the name of their picture: a client that was reminded, a mail that was sent."""
    pages = {name: f"{company}/{name}" for name in ("home", "who-owes-what")}
    pages["activities"] = f"{company}/activities?kind=reminder&size=15"
    page.goto(f"{company}/act?group=email-R1-Standard-e")
    unfolded = page.locator("a.act[aria-expanded=false]").nth(1)
    pages["act"] = str(unfolded.evaluate("link => link.href")).partition("#")[0]
    page.goto(f"{company}/who-owes-what?late=true&size=50")
    reminded = page.locator("tbody tr", has=page.locator("td .lvl"))
    noted = reminded.filter(has=page.locator("td a.act", has_text=re.compile(r"\d")))
    client = (noted if noted.count() else reminded).first.locator("a.name")
    pages["client"] = str(client.evaluate("link => link.href"))
    pages["contacts"] = f"{pages['client']}&contact=new"
    pages["explanation"] = f"{pages['client']}&tab=why"
    pages["client-policy"] = pages["client"].replace("/client?", "/client/policy?")
    pages["compose"] = pages["client"].replace("/client?", "/client/compose?") + "&medium=email"
    pages |= {name: f"{company}/{name}" for name in ("due-items", "alerts", "imports", "profiles", "scenarios")}
    pages |= {name: f"{company}/{name}" for name in ("letters", "my-tasks", "users", "disputes", "promises")}
    pages["policy"] = f"{company}/rules"
    pages["other-systems"] = f"{company}/other-systems"
    pages["criteria"] = f"{company}/act/criteria?days_late_from=30&medium=phone"
    page.goto(f"{company}/letters?state=posted")
    pages["letter"] = str(page.locator("a.act[href*='/letter?']").first.evaluate("link => link.href"))
    page.goto(f"{company}/activities?medium=email&kind=reminder&status=sent")
    pages["mail"] = str(page.locator("a.act[href*='/message']").first.evaluate("link => link.href"))
    return pages


def simulate(page: Page, company: str) -> str:
    """Try a slower first reminder over ninety days; where its result stands."""
    page.goto(f"{company}/simulation")
    page.fill("input[name='days:with_email:R1']", "12")
    page.click("form[data-once] button.btn-primary")
    page.wait_for_selector("#steps", timeout=SIMULATED_MILLISECONDS)
    return page.url


def choose_columns(page: Page, company: str) -> None:
    """From a file of one's own to the page where its columns are chosen."""
    page.goto(f"{company}/imports")
    page.set_input_files(
        "#file", {"name": "factures ouvertes.csv", "mimeType": "text/csv", "buffer": OPEN_INVOICES.encode()}
    )
    page.select_option("select[name=reading]", "new")
    with page.expect_navigation():
        page.locator("form:has(#file) button").click()


def take(console: str, login: str, password: str, folder: Path) -> list[Path]:
    """Take every picture of a running demonstration; answers the files."""
    taken = []
    simulated = ""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for width, scale in WIDTHS.items():
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT}, device_scale_factor=scale, locale="fr-FR"
            )
            page = context.new_page()
            sign_in(page, console, login, password)
            company = page.url.removesuffix("/home")
            simulated = simulated or simulate(page, company)
            for name, address in {**addresses(page, company), "simulation": simulated}.items():
                page.set_viewport_size({"width": width, "height": HEIGHT})
                page.goto(address)
                whole(page, HIGHEST)
                taken.append(folder / f"{name}-{width}.png")
                page.screenshot(path=taken[-1])
            page.set_viewport_size({"width": width, "height": HEIGHT})
            choose_columns(page, company)
            whole(page, HIGHEST)
            taken.append(folder / f"import-wizard-{width}.png")
            page.screenshot(path=taken[-1])
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.goto(f"{company}/act?medium=email")
            page.click(".confirm-bar button")
            page.wait_for_selector("#question .modal.show")
            page.wait_for_timeout(SETTLED_MILLISECONDS)
            taken.append(folder / f"confirm-{width}.png")
            page.screenshot(path=taken[-1])
            context.close()
    return taken


def of_demonstration(folder: Path, report: Report) -> list[Path]:
    """Start a demonstration of its own, take the pictures, stop it."""
    from cli.demo import LOGIN, Demonstration, create_person
    from cli.trial import Trial

    with (
        tempfile.TemporaryDirectory(prefix="relance-") as passing,
        Trial(Path(passing), as_of=DAY, report=report) as trial,
    ):
        password = create_person(trial)
        Demonstration(trial, DAY, report).prepare()
        return take(trial.stack.url("console"), LOGIN, password, folder)
