"""A file of one's own comes in through the pages: columns chosen, checked without changing anything, imported."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.demo import COMPANY, COMPANY_NAME, LOGIN, create_person
from cli.pictures import sign_in
from cli.trial import Trial
from tests.browser.test_access import found_by_axe, overflow
from tests.integration.sync.test_mapped_files import ROWS, text_of

DAY = date(2026, 11, 24)


@dataclass
class Running:
    console: str
    password: str


@pytest.fixture(scope="module")
def running(ready: Callable[[str], Path], front_end: None) -> Iterator[Running]:
    """A company that knows no client yet."""
    with Trial(ready("importing"), as_of=DAY) as trial:
        password = create_person(trial)
        road = trial.road(COMPANY, DAY)
        road.register(COMPANY_NAME)
        road.close()
        yield Running(trial.stack.url("console"), password)


@pytest.fixture
def page(running: Running, browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(opened, running.console, LOGIN, running.password)
    opened.goto(f"{running.console}/c/{COMPANY}/imports")
    yield opened
    opened.close()


def send(page: Page, file: Path, reading: str) -> None:
    page.get_by_label("Fichier", exact=True).set_input_files(file)
    page.get_by_label("Ce que contient le fichier").select_option(label=reading)
    page.get_by_role("button", name="Continuer").click()


def content_of(page: Page, column: str) -> str:
    chosen = page.get_by_label(f"Ce que contient la colonne {column}")
    return str(chosen.evaluate("select => select.selectedOptions[0].text"))


def test_columns_are_guessed_checked_and_imported(page: Page, tmp_path: Path) -> None:
    """Rule 20.2."""
    file = tmp_path / "factures ouvertes 2026-11.csv"
    file.write_bytes(text_of([*ROWS, ("C9", "Oubli", "F9", "01/03/2026", "31/03/2026", "cent", "")]))
    send(page, file, "Un autre fichier CSV ou XLSX : choisir ses colonnes")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choisir les colonnes")
    assert content_of(page, "Code") == "Code du client"
    assert content_of(page, "Echéance") == "Date d’échéance"
    assert content_of(page, "Payée le") == "Ne pas lire"
    assert page.get_by_label("Nom de la correspondance").input_value() == "factures-ouvertes"
    assert not found_by_axe(page)

    page.get_by_label("Ce que contient la colonne Payée le").select_option(label="Date de règlement")
    page.get_by_label("Un crédit sans type est").select_option(label="un avoir")
    page.get_by_role("button", name="Vérifier sans importer").click()
    result = page.locator("#result")
    expect(result).to_contain_text("Le fichier serait refusé", timeout=30_000)
    expect(result.locator("tbody tr")).to_have_count(1)
    expect(result.locator("tbody tr")).to_contain_text("« xxxx »")
    assert content_of(page, "Payée le") == "Date de règlement", "what was chosen is still there"
    page.set_viewport_size({"width": 390, "height": 844})
    assert overflow(page) == 0
    page.set_viewport_size({"width": 1440, "height": 1000})

    file.write_bytes(text_of(ROWS))
    page.get_by_role("link", name="Abandonner").click()
    send(page, file, "Selon la correspondance « factures-ouvertes »")
    expect(page.locator("#result")).to_contain_text("Import terminé", timeout=30_000)
    expect(page.locator("#result")).to_contain_text("1 250,50".replace(" ", "\u202f"))
    history = page.get_by_role("region", name="Historique des imports")
    expect(history.locator("tbody tr").first).to_contain_text("Terminé")
    expect(history.locator("tbody tr").nth(1)).to_contain_text("à blanc")
    expect(page.get_by_role("region", name="Correspondances enregistrées")).to_contain_text("factures-ouvertes")


def test_what_is_missing_is_said_before_anything_is_sent(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "liste.csv"
    file.write_text("Code;Solde\nC1;12\n", encoding="utf-8")
    send(page, file, "Un autre fichier CSV ou XLSX : choisir ses colonnes")
    page.get_by_role("button", name="Importer", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Dites quelle colonne contient une date")
    assert content_of(page, "Solde") == "Montant"


def test_what_is_no_table_is_said(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "facture.csv"
    file.write_bytes(b"%PDF-1.7 not a table")
    send(page, file, "Un autre fichier CSV ou XLSX : choisir ses colonnes")
    expect(page.get_by_role("alert")).to_contain_text("ni un tableau CSV ni un classeur XLSX")


def test_an_administrator_plans_where_files_come_from_and_when(page: Page) -> None:
    """Rule 2.3."""
    page.get_by_text("Ajouter un dossier ou un serveur SFTP").click()
    page.get_by_label("Nom", exact=True).fill("exports")
    page.get_by_label("Dossier", exact=True).fill("exports")
    page.get_by_role("button", name="Ajouter la source").click()
    sources = page.get_by_role("region", name="Sources")
    expect(sources).to_contain_text("Pas encore lu")
    page.get_by_label("Heure").fill("06:45")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(sources).to_contain_text("lun., mar., mer., jeu., ven. à 06:45")
    assert not found_by_axe(page)
    page.get_by_role("button", name="Supprimer le créneau").first.click()
    expect(sources).not_to_contain_text("06:45")
    page.get_by_role("button", name="Supprimer la source exports").click()
    expect(page.locator("#planning")).to_contain_text("Aucune source")
