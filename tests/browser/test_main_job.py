"""The main job by hand, every service running: act, confirm, read the mail, find it in the history."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest
from playwright.sync_api import Browser, expect
from typer.testing import CliRunner

import cli.app_explain  # noqa: F401 - adds its command
from cli.app import app
from cli.demo import COMPANY, LOGIN, Demonstration, create_person
from cli.pictures import sign_in
from cli.trial import Trial

DAY = date(2026, 11, 24)


@dataclass
class Running:
    console: str
    password: str
    sink: str
    data: Path

    def mails(self) -> list[dict[str, str]]:
        with build_opener(ProxyHandler({})).open(f"{self.sink}/api/mails?limit=10000", timeout=30) as answer:
            found: list[dict[str, str]] = json.load(answer)["mails"]
        return found


@pytest.fixture(scope="module")
def running(ready: Callable[[str], Path], front_end: None) -> Iterator[Running]:
    """A demonstration without a past: books of the day taken in, round done."""
    with Trial(ready("walk"), as_of=DAY) as trial:
        password = create_person(trial)
        demonstration = Demonstration(trial, DAY, lambda _: None)
        demonstration.take_in_today()
        yield Running(trial.stack.url("console"), password, trial.sink.url, trial.stack.data_dir)


def test_a_person_sends_the_reminders_of_the_day(running: Running, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, running.console, LOGIN, running.password)
    page.get_by_role("link", name="Je relance").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Par scénario")
    assert running.mails() == [], "nothing leaves by itself"

    # one client is left out
    button = page.locator(".confirm-bar button")
    before = int(button.inner_text().split()[1])
    row = page.locator("tbody tr", has=page.locator("input[name=ticked]")).first
    left_out = row.locator("a.name").inner_text()
    row.locator("input[name=ticked]").uncheck()
    expect(button).to_have_text(f"Envoyer {before - 1} e-mails")

    button.click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text(f"Envoyer {before - 1} e-mails")
    question.get_by_role("button", name="Envoyer").click()
    progress = page.locator("[role=status]")
    expect(progress).to_contain_text(f"Envoi terminé : {before - 1} e-mails envoyés", timeout=60_000)

    mails = running.mails()
    assert len(mails) == before - 1
    assert len({mail["message_id"] for mail in mails}) == before - 1, "nobody twice"

    # the page may be left and found again as it was
    page.goto(f"{running.console}/c/{COMPANY}/home")
    page.goto(f"{running.console}/c/{COMPANY}/act?medium=email")
    expect(page.locator("[role=status]")).to_contain_text("Envoi terminé")
    expect(page.locator("tbody a.name", has_text=left_out)).to_be_visible()

    page.goto(f"{running.console}/c/{COMPANY}/activities?medium=email&status=sent")
    expect(page.locator("main")).to_contain_text(f"{before - 1} activité")
    expect(page.locator("tbody tr").first).to_contain_text("Envoyé")
    expect(page.locator("tbody tr").first).to_contain_text("Nathalie Ferrand")
    page.locator("a.act[href*='/message']").first.click()
    subject = page.locator("h2").first.inner_text()
    assert subject in {mail["subject"] for mail in mails}
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Ateliers Delcourt")
    page.close()


def test_a_stop_a_promise_and_a_note_show_at_once(running: Running, browser: Browser) -> None:
    """Rules 8.1, 8.2 and 10.1, through ledger and reporting."""
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, running.console, LOGIN, running.password)
    page.goto(f"{running.console}/c/{COMPANY}/who-owes-what?late=true&stopped=false&profile=Standard")
    page.locator("tbody a.name").first.click()
    page.get_by_label("Ajouter une note").first.fill("Rappeler lundi")
    page.get_by_role("button", name="Enregistrer la note").click()
    expect(page.locator("#notes")).to_contain_text("Rappeler lundi")
    expect(page.locator("#notes")).to_contain_text("Nathalie Ferrand")

    page.locator("a[aria-label^='Actions sur']").first.click()
    page.get_by_label("Pour le").fill("2026-12-01")
    page.get_by_role("button", name="Noter la promesse").click()
    expect(page.locator("#account")).to_contain_text("01/12/26")

    page.get_by_role("button", name="STOP", exact=True).click()
    expect(page.locator("main")).to_contain_text("Client à ne pas relancer, STOP du 24/11/2026")
    page.get_by_role("button", name="Démarrer", exact=True).click()
    expect(page.locator("main")).to_contain_text("Ce client peut être relancé")
    page.get_by_role("link", name="Pourquoi ?").click()
    expect(page.locator("#account")).to_contain_text("règle")
    told = page.locator(".why").first.inner_text()
    client_id = parse_qs(urlsplit(page.url).query)["client_id"][0]
    page.close()

    asked = [
        "explain",
        "--company",
        COMPANY,
        "--client",
        client_id,
        "--as-of",
        f"{DAY}",
        "--data",
        f"{running.data}",
    ]
    done = CliRunner(env={"COLUMNS": "400"}).invoke(app, [*asked, "--json"])
    assert done.exit_code == 0, done.output
    explained = json.loads(done.output)["entries"][0]
    assert explained["piece"] in told, "the command and the page tell the same"
    assert explained["reasons"][0]["text"].replace("'", "’") in told
    assert explained["piece"] in CliRunner(env={"COLUMNS": "400"}).invoke(app, asked).output
