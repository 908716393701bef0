"""Texts of messages, written in the editor, tried on a client, saved as versions, carried as files (rule 13)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.pictures import sign_in, whole
from services.notify.compiling import text_template
from services.notify.delivered import NAMES, delivered
from services.notify.manuscript import clean
from services.notify.tags import TAGS
from tests.browser.conftest import PICTURES, Site


@pytest.fixture
def page(played: Site, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    yield page
    page.close()


def picture(page: Page, name: str) -> None:
    if not PICTURES:
        return
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        whole(page)
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")
    page.set_viewport_size({"width": 1440, "height": 900})


def go(page: Page, played: Site, path: str) -> None:
    page.goto(f"{played.url}/c/{played.company}/{path}")


def test_a_text_is_tried_on_a_client_and_a_mistake_is_named_with_its_place(played: Site, page: Page) -> None:
    """Rule 13.5: nothing is saved then, and what was typed stays."""
    assert played.fakes is not None
    texts = played.fakes.texts
    go(page, played, "templates")
    expect(page.get_by_role("heading", level=1)).to_have_text("Modèles")
    picture(page, "modeles")
    page.get_by_role("link", name="Relance 1, E-mail, français").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Relance 1")
    editor = page.get_by_role("textbox", name="Texte")
    expect(editor).to_contain_text("Sauf erreur de notre part")
    expect(page.frame_locator("iframe[name=preview]").get_by_role("status")).to_contain_text("Giraud & Diaz")
    expect(page.frame_locator("iframe[name=preview]").get_by_role("status")).to_contain_text("laissé de côté")
    assert texts.tried[-1]["client_id"] is None
    picture(page, "modele")

    assert "%tableau_comptable%" in page.locator("input[name=body]").input_value()
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type("Bonjour ")
    page.get_by_text("Voir la liste des balises").click()
    page.get_by_role("button", name="%contact_name%").click()
    page.keyboard.type(",")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Gras").click()
    page.keyboard.type("Merci de régler %totall%")
    page.get_by_role("button", name="Gras").click()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Liste", exact=True).click()
    page.keyboard.type("par virement")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#problems")).to_contain_text("%totall% n’existe pas (ligne 2, colonne 17)")
    expect(page.locator("#problems")).to_contain_text("Vouliez-vous dire %total%")
    expect(page.get_by_role("textbox", name="Texte")).to_contain_text("par virement")
    picture(page, "modele-refuse")
    assert texts.saved == []


def test_each_saving_is_a_version_of_clean_html(played: Site, page: Page) -> None:
    """Rule 13.1."""
    assert played.fakes is not None
    texts = played.fakes.texts
    go(page, played, "template?name=R1")
    page.get_by_role("textbox", name="Texte").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("Merci de régler ")
    page.get_by_role("button", name="Gras").click()
    page.keyboard.type("%total%")
    page.get_by_label("Objet").fill("Rappel")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[role=status]").first).to_contain_text("version 1")
    assert texts.saved[-1]["body"] == "<p>Merci de régler <strong>%total%</strong></p>"
    assert (texts.saved[-1]["form"], texts.saved[-1]["level"]) == ("html", 1)

    page.get_by_label("Code du client").fill("411MUNOZSA")
    page.get_by_role("button", name="En texte seul").click()
    expect(page.frame_locator("iframe[name=preview]").locator("pre")).to_contain_text("Bonjour Madame Giraud")
    assert texts.tried[-1]["client_id"] == "411MUNOZSA"
    page.get_by_role("button", name="Revenir au texte livré").click()
    expect(page.locator("[role=status]").first).to_contain_text("texte livré est de nouveau utilisé")
    go(page, played, "template?name=R1&version=1")
    expect(page.get_by_role("textbox", name="Texte")).to_contain_text("Merci de régler %total%")


def test_paragraphs_stay_paragraphs_when_nothing_is_changed(played: Site, page: Page) -> None:
    """Opening and saving a delivered text says the same."""
    assert played.fakes is not None
    for name in NAMES:
        text = delivered(name, "email", "fr")
        assert text is not None
        go(page, played, f"template?name={name}")
        expect(page.get_by_role("textbox", name="Texte")).to_be_visible()
        sent = page.evaluate("document.querySelector('trix-editor').value")
        values = {tag: f"[{tag}]" for tag in TAGS}
        assert text_template(clean(sent), "html").render(values) == text_template(text.body).render(values), name


def test_texts_are_carried_as_a_file(played: Site, page: Page, tmp_path: Path) -> None:
    """Rule 13.7."""
    assert played.fakes is not None
    one = {
        "name": "doux", "medium": "email", "language": "fr", "kind": "reminder", "title": "Rappel doux",
        "subject": "Rappel", "body": "<p>%total%</p>", "form": "html",
    }  # fmt: skip
    file = tmp_path / "modeles.json"
    file.write_text(json.dumps({"format": "relance.templates", "version": 1, "templates": [one]}))
    go(page, played, "templates")
    page.get_by_label("Fichier").set_input_files(file)
    page.get_by_label("Vérifier sans enregistrer").check()
    page.get_by_role("button", name="Importer").click()
    expect(page.locator("[role=status]").first).to_contain_text("1 nouveaux, 0 changés, 0 inchangés.")
    expect(page.locator("[role=status]").first).to_contain_text("Rien n’a été enregistré")
    page.get_by_label("Fichier").set_input_files(file)
    page.get_by_role("button", name="Importer").click()
    expect(page.get_by_role("link", name="Rappel doux, E-mail, français")).to_contain_text("Version 1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Exporter").click()
    exported = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert "doux" in [text["name"] for text in exported["templates"]]
    file.write_text("{")
    page.get_by_label("Fichier").set_input_files(file)
    page.get_by_role("button", name="Importer").click()
    expect(page.get_by_role("alert")).to_contain_text("n’est pas un export de modèles")


def test_a_new_template_says_what_it_is_for(played: Site, page: Page) -> None:
    """Rules 9.1, 13.1."""
    assert played.fakes is not None
    go(page, played, "templates")
    page.get_by_label("Nom court").fill("merci_noel")
    page.get_by_label("Titre").fill("Merci de fin d’année")
    page.get_by_label("Type").select_option("thanks")
    page.get_by_role("button", name="Écrire").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Merci de fin d’année")
    expect(page.get_by_role("textbox", name="Texte")).to_contain_text("bien reçu votre règlement")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[role=status]").first).to_contain_text("version 1")
    assert played.fakes.texts.saved[-1]["kind"] == "thanks"


def test_without_scripts_the_field_takes_the_text_itself(played: Site, browser: Browser) -> None:
    assert played.fakes is not None
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    sign_in(page, played.url, played.login, played.password)
    go(page, played, "template?name=R2")
    field = page.get_by_label("Texte")
    assert "<p>%tableau_comptable%</p>" in field.input_value()
    field.fill("Bonjour,\n\n**%total%**")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[role=status]").first).to_contain_text("version 1")
    assert played.fakes.texts.saved[-1]["html"] == "<p>Bonjour,</p>\n<p><strong>%total%</strong></p>"
    context.close()


def test_the_sender_is_set_and_what_cannot_be_read_comes_back(played: Site, page: Page) -> None:
    """Who writes for the company (rules 9.1, 13.5, 18.3)."""
    assert played.fakes is not None
    go(page, played, "sender")
    expect(page.get_by_label("Nom", exact=True)).to_have_value("Nathalie Ferrand")
    picture(page, "expediteur")
    page.get_by_label("Adresse e-mail").fill("compta")
    page.locator("form[action$='/sender']").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_label("Adresse e-mail")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Adresse e-mail").fill("compta@delcourt.example")
    page.get_by_label("Pied de page").fill("SARL au capital de 50 000 €\nRCS Metz")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[role=status]").first).to_contain_text("L’expéditeur est enregistré")
    saved = played.fakes.texts.sender
    assert saved is not None
    assert saved["footer"] == "SARL au capital de 50 000 €\nRCS Metz"
