"""Acting by client, by scenario, by criteria, every service running: what is seen is what leaves."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from cli.demo import COMPANY, LOGIN, Demonstration, create_person
from cli.pictures import sign_in
from cli.trial import Trial
from tests.browser.conftest import PICTURES
from tests.waiting import asked_until

DAY = date(2026, 11, 24)


@dataclass
class Running:
    console: str
    password: str
    sink: str

    def mails(self, to: str) -> list[dict[str, str]]:
        with build_opener(ProxyHandler({})).open(f"{self.sink}/api/mails?limit=10000", timeout=30) as answer:
            found: list[dict[str, str]] = json.load(answer)["mails"]
        return [mail for mail in found if to in mail["recipients"]]

    def url(self, page: str) -> str:
        return f"{self.console}/c/{COMPANY}/{page}"


@pytest.fixture(scope="module")
def running(ready: Callable[[str], Path], front_end: None) -> Iterator[Running]:
    """A demonstration without a past: books of the day taken in, round done."""
    with Trial(ready("acting"), as_of=DAY) as trial:
        password = create_person(trial)
        Demonstration(trial, DAY, lambda _: None).take_in_today()
        yield Running(trial.stack.url("console"), password, trial.sink.url)


@pytest.fixture
def page(running: Running, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, running.console, LOGIN, running.password)
    yield page
    page.close()


def _picture(page: Page, name: str) -> None:
    """Where a folder is named, pictures of what is tested: wide, and as on a phone."""
    if not PICTURES:
        return
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 1000})


def _a_late_client(page: Page, running: Running, place: int = 1) -> None:
    page.goto(running.url("who-owes-what?late=true"))
    page.locator("tbody a.name").nth(place).click()
    expect(page.locator("#chosen")).to_be_visible()


def _shown_at_once(page: Page) -> FrameLocator:
    """The preview, once the page has shown it unasked: the editor is then in its place and nothing moves under
    a click any more."""
    preview = page.frame_locator("iframe[name=preview]")
    expect(preview.locator("body")).to_contain_text("€")
    return preview


def test_a_mail_to_a_client_is_seen_edited_and_sent(running: Running, page: Page) -> None:
    """Rules 5.5, 9.1."""
    _a_late_client(page, running)
    page.locator("input[name=entry_id]").first.check()
    _picture(page, "client-choisir")
    page.locator("#chosen").get_by_role("button", name="E-mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Envoyer un e-mail")
    preview = _shown_at_once(page)
    page.get_by_label("Objet").fill("Votre compte, %invoice_list%")
    page.get_by_label("Destinataires").fill("compta-directe@client.example")
    page.get_by_role("button", name="Aperçu").click()
    expect(preview.locator("body")).to_contain_text("€")
    _picture(page, "client-email")
    page.get_by_label("Texte").fill("Bonjour,\n\n%inconnue%")
    page.get_by_role("button", name="Aperçu").click()
    expect(preview.get_by_role("alert")).to_contain_text("%inconnue%")
    page.get_by_label("Texte").fill("Bonjour,\n\nIl reste %total%.\n\n%sender_name%")
    page.get_by_role("button", name="Envoyer l’e-mail").click()
    expect(page.locator("[role=status]").first).to_contain_text("L’e-mail part")
    (mail,) = asked_until(bool, lambda: running.mails("compta-directe@client.example"))
    assert mail["subject"].startswith("Votre compte, ")


def test_a_call_is_noted_on_a_stopped_client_with_a_warning(running: Running, page: Page) -> None:
    """Rules 8.16, 9.3."""
    _a_late_client(page, running)
    page.get_by_role("button", name="STOP", exact=True).click()
    expect(page.get_by_text("Client à ne pas relancer, STOP").first).to_be_visible()
    page.locator("#chosen").get_by_role("button", name="Appel").click()
    expect(page.locator("#warning")).to_contain_text("Un scénario ne relancerait pas")
    page.get_by_label("Commentaire").fill("Rappeler lundi")
    page.get_by_label("Résultat").select_option("message_left")
    _picture(page, "client-appel")
    page.get_by_role("button", name="Noter l’appel").click()
    expect(page.locator("[role=status]").first).to_contain_text("Le contact est noté")
    page.get_by_role("button", name="Démarrer").click()


def test_the_next_step_is_chosen_with_the_keyboard(running: Running, page: Page) -> None:
    """Rule 5.6."""
    _a_late_client(page, running, 3)
    page.locator("#next-step").focus()
    page.locator("#next-step").select_option("R3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]").first).to_contain_text("La prochaine étape est choisie")
    expect(page.locator("#account [title^='Prochaine étape choisie']").first).to_be_attached()
    expect(page.locator("#account .lvl-2").first).to_be_attached()


def test_a_letter_is_shown_made_printed_and_posted(running: Running, page: Page) -> None:
    """Rules 9.2, 9.7, 9.9."""
    _a_late_client(page, running)
    page.locator("#chosen").get_by_role("button", name="Courrier").click()
    preview = _shown_at_once(page)
    page.get_by_label("Adresse postale").fill("Service comptable\n2 quai Nord\n44000 Nantes")
    page.get_by_role("button", name="Aperçu").click()
    expect(preview.locator("body")).to_contain_text("2 quai Nord")
    _picture(page, "client-courrier")
    page.get_by_role("button", name="Éditer le courrier").click()
    expect(page.locator("iframe.mail-frame")).to_be_visible()
    expect(page.get_by_label("Adresse postale")).to_have_value(re.compile("2 quai Nord"))
    page.get_by_label("Adresse postale").fill("3 quai Sud\n44000 Nantes")
    page.get_by_label("Lettre recommandée").check()
    _picture(page, "courrier-apercu")
    page.get_by_role("button", name="Préparer le courrier").click()
    expect(page.frame_locator("iframe.mail-frame").locator("body")).to_contain_text("3 quai Sud")
    page.get_by_label("N° de recommandé").fill("1A 123 456 7890 1")
    page.get_by_role("button", name="Noter").click()
    expect(page.locator("[role=status]").first).to_contain_text("est noté")
    _picture(page, "courrier")
    kept = page.request.get(
        f"{running.console}{page.get_by_role('link', name='Ouvrir le PDF').get_attribute('href')}"
    )
    assert kept.body().startswith(b"%PDF-")
    page.get_by_role("link", name="Tous les courriers").click()
    expect(page.locator("#letters tbody tr")).to_have_count(1)
    expect(page.locator("#letters")).to_contain_text("1A 123 456 7890 1")
    _picture(page, "courriers")
    page.get_by_role("button", name="Marquer comme postés").click()
    expect(page.locator("[role=status]").first).to_contain_text("notés comme postés")
    page.get_by_role("link", name="Postés").click()
    expect(page.locator("#letters tbody tr")).to_have_count(1)


def test_letters_of_a_step_are_made_together_and_printed_as_one(running: Running, page: Page) -> None:
    """Rule 9.7."""
    page.goto(running.url("act?medium=letter"))
    page.locator(".confirm-bar button").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("Préparer")).click()
    page.wait_for_url("**/letters**")
    expect(page.locator("#letters tbody tr").first).to_be_visible(timeout=20_000)
    tick = {"csrf_token": page.locator("#letters input[name=csrf_token]").get_attribute("value") or ""}
    first = page.locator("#letters input[name=action_id]").first.get_attribute("value") or ""
    form = tick | {"action_id": first, "both_sides": "true"}
    answer = page.request.post(running.url("letters/print"), form=form)
    assert answer.body().startswith(b"%PDF-")


def test_an_excluded_row_is_ticked_back_with_the_keyboard(running: Running, page: Page) -> None:
    """Rule 8.15: all the reasons are read, and the space bar proposes the row all the same."""
    page.goto(running.url("act?medium=email"))
    box = page.locator("input[name=include]:not([disabled])").first
    if not box.count():
        _a_late_client(page, running)
        page.get_by_role("button", name="STOP", exact=True).click()
        page.goto(running.url("act?medium=email"))
    for group in page.locator("a.step-link").all():
        if page.locator("input[name=include]:not([disabled])").count():
            break
        group.click()
    _picture(page, "act-exclus")
    before = page.locator("input[name=include]:not([disabled])").count()
    assert before, "the demonstration has stopped clients with something due"
    expect(box).to_have_attribute("aria-label", re.compile("Cocher pour relancer quand même"))
    box.focus()
    page.keyboard.press("Space")
    expect(page.locator("input[name=include]:not([disabled])")).to_have_count(before - 1)


def test_alerts_lead_to_what_is_to_be_mended(running: Running, page: Page) -> None:
    """Rule 15.5."""
    page.goto(running.url("alerts?late_after=0"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Alertes")
    expect(page.get_by_role("link", name="Actions en retard")).to_be_visible()
    _picture(page, "alertes")
    page.get_by_role("link", name="Actions en retard").click()
    expect(page.locator("main tbody tr").first).to_be_visible()
    page.locator("main tbody a.name").first.click()
    expect(page.locator("#account")).to_be_visible()


def test_clients_chosen_by_criteria_are_seen_asked_about_and_written_to_once(running: Running, page: Page) -> None:
    """Rule 9.8: filter, the very mail, one question, progress; who was written to is not proposed again."""
    page.goto(running.url("act/criteria"))
    page.get_by_label("Adresse e-mail", exact=True).select_option("true")
    page.get_by_label("Jours de retard : au moins").fill("5")
    page.get_by_role("button", name="Filtrer").last.click()
    expect(page.locator("main tbody tr").first).to_be_visible()
    boxes = page.locator("input[name=chosen]:checked")
    assert boxes.count() > 2, "the demonstration has late clients with an address"
    _picture(page, "criteres")
    page.locator("tr:not(.excluded) a.act").first.click()
    expect(page.frame_locator("iframe.mail-frame").locator("body")).to_contain_text("€")
    to = page.locator("dd").nth(1).inner_text()
    subject = page.locator("h2").first.inner_text()
    _picture(page, "criteres-apercu")
    page.get_by_role("link", name="Revenir à la sélection").click()
    page.get_by_label("Tout sélectionner").uncheck()
    expect(boxes).to_have_count(0)
    page.locator("tr:not(.excluded) input[name=chosen]").first.focus()
    page.keyboard.press("Space")
    expect(boxes).to_have_count(1)
    page.get_by_role("button", name="Envoyer les e-mails").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Envoyer 1 e-mail à 1 client")
    _picture(page, "criteres-question")
    page.get_by_role("button", name="Envoyer 1 e-mail").click()
    expect(page.get_by_text("Envoi terminé")).to_be_visible(timeout=20_000)
    _picture(page, "criteres-envoi")
    assert [mail["subject"] for mail in running.mails(to)].count(subject) == 1
    page.reload()
    expect(page.locator("tr.excluded", has_text="Relancé aujourd’hui").first).to_be_visible()


def test_my_tasks_lead_to_what_is_to_be_done(running: Running, page: Page) -> None:
    """Rule 15.5."""
    page.goto(running.url("my-tasks"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Mes tâches")
    _picture(page, "mes-taches")
    page.locator("main tbody a.lnk").first.click()
    expect(page.locator("#rows")).to_be_visible()
