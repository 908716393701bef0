"""Configurer, Expéditeur and Envoi des e-mails: who writes, the company's own mail server, and its trial."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.demo import LOGIN, PERSON, create_person
from cli.demo_book import COMPANY
from cli.pictures import sign_in
from cli.trial import Trial
from tests.browser.conftest import PICTURES
from tests.integration.notify.conftest import made_certificate
from tests.integration.notify.oauth_server import Authority
from tests.serving import serving_besides

DAY = date(2026, 11, 24)


@dataclass
class Running:
    trial: Trial
    password: str
    certificate: Path

    @property
    def url(self) -> str:
        return f"{self.trial.stack.url('console')}/c/{COMPANY}/mail"


@pytest.fixture(scope="module")
def running(
    ready: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, front_end: None
) -> Iterator[Running]:
    certificate = made_certificate(tmp_path_factory.mktemp("tls"))
    with Trial(
        ready("mail"),
        as_of=DAY,
        services=("sync", "ledger", "notify", "console"),
        environment={"notify": {"RELANCE_SMTP_CA_FILE": str(certificate)}},
    ) as trial:
        road = trial.road(COMPANY, DAY)
        road.register("Ateliers Delcourt")
        road.close()
        yield Running(trial, create_person(trial), certificate)


@pytest.fixture
def page(running: Running, browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(opened, running.trial.stack.url("console"), LOGIN, running.password)
    opened.goto(running.url)
    yield opened
    opened.close()


def test_the_sender_is_set_and_used(running: Running, page: Page) -> None:
    page.locator("main").get_by_role("link", name="Expéditeur").click()
    page.get_by_label("Nom", exact=True).fill("Comptabilité clients")
    page.get_by_label("Adresse e-mail").fill("compta@delcourt.example")
    page.get_by_label("Pied de page").fill("Ateliers Delcourt\n12 rue des Forges")
    page.get_by_label("Documents des factures").select_option("attached")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status").first).to_contain_text("L’expéditeur est enregistré")
    expect(page.get_by_label("Pied de page")).to_have_value("Ateliers Delcourt\n12 rue des Forges")
    expect(page.get_by_label("Documents des factures")).to_have_value("attached")
    page.goto(running.url)
    expect(page.locator("main")).to_contain_text("les messages partent de compta@delcourt.example")


def test_a_server_is_tried_then_saved_then_given_up(running: Running, page: Page) -> None:
    sink = running.trial.sink
    page.get_by_label("Serveur", exact=True).fill("127.0.0.1")
    page.get_by_label("Port").fill("9")
    page.get_by_label("Chiffrement").select_option("none")
    page.get_by_role("button", name="Essayer").click()
    expect(page.get_by_role("alert")).to_contain_text("La connexion échoue")
    expect(page.get_by_label("Port")).to_have_value("9")

    page.get_by_label("Port").fill(str(sink.smtp_port))
    page.get_by_label("Messages par seconde").fill("2,5")
    page.locator("#field-to").fill("essai@delcourt.example")
    page.get_by_role("button", name="Essayer").click()
    expect(page.get_by_role("status")).to_contain_text("le serveur a pris le message d’essai")
    assert sink.counts()["count"] == 1
    expect(page.locator("main")).to_contain_text("par le serveur de l’installation")

    page.get_by_label("Identifiant").fill("")
    page.get_by_role("button", name="Enregistrer le serveur").click()
    expect(page.get_by_role("status")).to_contain_text("Le serveur d’envoi est enregistré")
    expect(page.locator("main")).to_contain_text("Les messages partent par le serveur de la société")
    expect(page.get_by_label("Messages par seconde")).to_have_value("2.5")

    page.get_by_role("button", name="Revenir au serveur de l’installation").click()
    expect(page.get_by_role("status")).to_contain_text("de nouveau par le serveur de l’installation")


def test_a_password_is_kept_and_never_shown(running: Running, page: Page) -> None:
    page.get_by_label("Serveur", exact=True).fill("127.0.0.1")
    page.get_by_label("Identifiant").fill("envoi@delcourt.example")
    page.get_by_label("Mot de passe").first.fill("s3cret-très-long")
    page.get_by_role("button", name="Enregistrer le serveur").click()
    expect(page.get_by_role("status")).to_contain_text("Le serveur d’envoi est enregistré")
    assert "s3cret" not in page.content()
    expect(page.get_by_label("Oublier le mot de passe enregistré")).to_be_visible()
    page.get_by_role("button", name="Revenir au serveur de l’installation").click()
    expect(page.get_by_role("status")).to_contain_text("de nouveau")


def test_a_mailbox_is_tried_saved_and_given_up(running: Running, page: Page) -> None:
    page.locator("main").get_by_role("link", name="Courrier reçu").click()
    page.get_by_label("Serveur", exact=True).fill("127.0.0.1")
    page.get_by_label("Port").fill("9")
    page.get_by_label("Identifiant").fill("retours@delcourt.example")
    page.get_by_label("Mot de passe").fill("s3cret-très-long")
    page.get_by_label("Adresses étiquetées").check()
    page.get_by_role("button", name="Essayer").click()
    expect(page.get_by_role("alert")).to_contain_text("Le serveur ne répond pas")
    expect(page.get_by_label("Port")).to_have_value("9")

    page.get_by_label("Mot de passe").fill("s3cret-très-long")
    page.get_by_role("button", name="Enregistrer la boîte").click()
    expect(page.get_by_role("status")).to_contain_text("La boîte est enregistrée")
    assert "s3cret" not in page.content()
    expect(page.get_by_label("Adresses étiquetées")).to_be_checked()
    page.get_by_role("button", name="Ne plus lire cette boîte").click()
    expect(page.get_by_role("status")).to_contain_text("n’est plus lue")
    expect(page.get_by_label("Serveur", exact=True)).to_have_value("")


@pytest.fixture
def provider(running: Running) -> Iterator[Authority]:
    """In a thread of its own: the browser's needs this one."""
    found = Authority(f"{running.trial.stack.url('console')}/mail-consent")
    with serving_besides(found.app(), found.listener, ssl_certfile=running.certificate):
        yield found


def test_a_mailbox_is_connected_by_consent_renewed_and_taken_back(
    running: Running, browser: Browser, provider: Authority
) -> None:
    """The provider is one of this test; Microsoft's and Google's cannot be reached (ADR 57)."""
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000}, ignore_https_errors=True)
    sign_in(page, running.trial.stack.url("console"), LOGIN, running.password)
    page.goto(running.url)
    page.locator("main").get_by_role("link", name="Microsoft 365").click()
    expect(page.get_by_label("Serveur", exact=True)).to_have_value("smtp.office365.com")
    expect(page.get_by_label("Connexion à la boîte")).to_have_value("oauth")
    page.get_by_label("Identifiant").fill("relances@delcourt.example")
    page.get_by_role("button", name="Enregistrer le serveur").click()
    expect(page.get_by_role("alert")).to_contain_text("n’a pas encore donné d’autorisation")

    page.locator("main").get_by_role("link", name="Donner d’abord l’autorisation").click()
    wanted = provider.wanted()
    page.get_by_label("Fournisseur", exact=True).select_option("other")
    page.get_by_label("ID de l’application").fill(wanted["client_id"])
    page.get_by_label("Secret de l’application").fill(wanted["secret"])
    page.get_by_text("Adresses d’un autre fournisseur").click()
    for name in ("authorize_url", "token_url", "revoke_url", "scope"):
        page.locator(f"#field-{name}").fill(wanted[name])
    page.get_by_label("Serveurs de la boîte").fill("127.0.0.1")
    page.get_by_role("button", name="Enregistrer l’application").click()
    expect(page.get_by_role("status")).to_contain_text("L’autorisation est enregistrée")
    assert wanted["secret"] not in page.content()

    def consents(button: str, answer: str) -> None:
        page.get_by_role("button", name=button).click()
        page.get_by_role("link", name=answer).click()

    consents("Connecter la boîte", "Accept")
    expect(page.get_by_role("status")).to_contain_text("La boîte est connectée")
    expect(page.locator("main")).to_contain_text(f"Consentie par {PERSON}")
    page.get_by_role("button", name="Essayer").click()
    expect(page.get_by_role("status")).to_contain_text("l’autorisation est bonne")

    provider.take_back()
    page.get_by_role("button", name="Essayer").click()
    expect(page.get_by_role("alert")).to_contain_text("a expiré ou a été retirée")
    expect(page.locator("main")).to_contain_text("les messages attendent, rien n’est perdu")
    if PICTURES:
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(PICTURES) / f"authorization-{width}.png", full_page=True)
    consents("Renouveler l’autorisation", "Refuse")
    expect(page.get_by_role("alert")).to_contain_text("n’a pas consenti. access_denied")
    consents("Renouveler l’autorisation", "Accept")
    expect(page.get_by_role("status")).to_contain_text("La boîte est connectée")
    page.get_by_role("button", name="Retirer l’autorisation").click()
    expect(page.get_by_role("status")).to_contain_text("retirée, chez le fournisseur aussi")
    assert provider.refresh == set()
    page.get_by_role("button", name="Oublier l’application").click()
    expect(page.get_by_role("status")).to_contain_text("L’autorisation est oubliée")
    page.close()


def test_periods_are_chosen_and_what_had_its_time_is_shown(running: Running, page: Page) -> None:
    """Rule 22.34: Configurer, Conservation."""
    page.goto(running.url.replace("/mail", "/retention"))
    expect(page.get_by_label("Messages envoyés")).to_have_value("60")
    expect(page.locator("main")).to_contain_text("Rien n’a fait son temps.")
    page.get_by_label("Avis de non-distribution").fill("3")
    page.get_by_label("Fichiers des clients").fill("")
    page.get_by_role("button", name="Enregistrer les durées").click()
    expect(page.get_by_role("status")).to_contain_text("Les durées sont enregistrées")
    expect(page.get_by_label("Avis de non-distribution")).to_have_value("3")
    expect(page.get_by_label("Fichiers des clients")).to_have_value("")
    page.get_by_label("Archive légale").fill("12")
    page.get_by_role("button", name="Enregistrer les durées").click()
    expect(page.get_by_role("alert")).to_contain_text("L’archive ne peut pas oublier avant les messages")
    expect(page.get_by_label("Archive légale")).to_have_value("12")
    page.get_by_label("Code du client").fill("PERSONNE")
    page.get_by_role("button", name="Retenir").click()
    expect(page.get_by_role("alert")).to_be_visible()
    if PICTURES:
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(PICTURES) / f"retention-{width}.png", full_page=True)
