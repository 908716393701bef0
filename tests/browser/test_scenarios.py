"""The scenario editor: days move while one types, mistakes stand at their field, a new version is previewed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.pictures import sign_in
from tests.browser.conftest import Site
from tests.browser.test_access import found_by_axe
from tests.integration.console.neighbours import COPY_ID


@pytest.fixture
def page(played: Site, browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(opened, played.url, played.login, played.password)
    opened.goto(f"{played.url}/c/{played.company}/scenarios")
    yield opened
    opened.close()


def test_days_move_while_one_types_and_a_mistake_stands_at_its_field(page: Page) -> None:
    """Rules 4.1, 4.7."""
    with_email = page.get_by_role("group", name="Relance 1, avec e-mail")
    stops = page.locator("#preview .card").nth(0).get_by_role("listitem")
    expect(stops.nth(1)).to_contain_text("J+8")
    with_email.get_by_label("Relance 1 : délai en jours").fill("12")
    expect(stops.nth(1)).to_contain_text("J+12")
    expect(page.locator("#preview")).to_contain_text("Avec e-mail, Relance 1 : délai : 8 → 12")
    assert with_email.get_by_label("Relance 1 : délai en jours").evaluate(
        "field => field === document.activeElement"
    )

    with_email.get_by_label("Relance 1 : point de départ").select_option(label="après la relance précédente")
    expect(with_email).to_contain_text("R1 est la première relance active")
    expect(page.locator("#preview")).to_contain_text("Ce scénario ne peut pas être publié.")
    assert not found_by_axe(page)
    with_email.get_by_label("Relance 1 : point de départ").select_option(
        label="après la fin du mois de l’échéance"
    )
    expect(with_email).not_to_contain_text("première relance active")
    expect(page.locator("#preview")).to_contain_text("fin de mois du point de départ : non → oui")


def test_a_thank_you_is_switched_on_and_published(page: Page, played: Site) -> None:
    thanks = page.get_by_role("group", name="Remerciement, avec e-mail")
    thanks.get_by_label("Remerciement", exact=True).check()
    expect(page.locator("#preview")).to_contain_text("Remerciement : étape ajoutée")
    page.get_by_role("button", name="Publier une nouvelle version").click()
    expect(page.get_by_role("status").first).to_contain_text("La version 2 est publiée")
    assert played.fakes is not None
    _, _, body = next(one for one in reversed(played.fakes.commands) if one[1] == "/scenarios")
    (step,) = [one for one in body["with_email"] if one["step"] == "thanks"]
    assert (step["counted_from"], step["delay_days"], step["template"]) == ("payment_date", 8, "thanks")
    assert len(body["without_email"]) == 5


def test_what_cannot_work_is_not_published_and_stays_as_it_was_typed(page: Page) -> None:
    row = page.get_by_role("group", name="Relance 2, sans e-mail")
    row.get_by_label("Relance 2 : délai en jours").fill("")
    page.get_by_role("button", name="Publier une nouvelle version").click()
    expect(page.get_by_role("group", name="Relance 2, sans e-mail")).to_contain_text(
        "Indiquez un nombre de jours."
    )


def test_the_steps_of_another_profile_fill_the_page(page: Page, played: Site) -> None:
    page.goto(f"{played.url}/c/{played.company}/scenarios?profile=Grand+Compte")
    page.get_by_role("link", name="celles de Export").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clients « Grand Compte »")
    expect(page.locator("#preview")).to_contain_text("Relance 1 : délai : 15 → 8")


def test_the_calendar_of_the_company_is_saved(page: Page, played: Site) -> None:
    """Rule 4.16."""
    for day in ("lundi", "mardi", "mercredi", "jeudi", "vendredi"):
        page.get_by_label(day).check()
    page.get_by_label("Seulement ces jours du mois").fill("5, 20")
    page.get_by_label("Envois automatiques dès").fill("08:30")
    page.get_by_label("Sauf les jours fériés du pays").check()
    page.get_by_role("button", name="Enregistrer le calendrier").click()
    expect(page.get_by_role("status").first).to_contain_text("Le calendrier est enregistré")
    assert played.fakes is not None
    _, _, body = next(one for one in reversed(played.fakes.commands) if one[1] == "/policy")
    assert body["calendar"] == {
        "weekdays": [1, 2, 3, 4, 5],
        "month_days": [5, 20],
        "skip_holidays": True,
        "not_before": "08:30",
    }
    assert body["promises_exclude"] is True


def test_a_step_gets_days_and_an_hour_of_its_own(page: Page, played: Site) -> None:
    """Rule 4.16: the timeline moves with them, and the step alone carries them."""
    row = page.get_by_role("group", name="Relance 1, avec e-mail", exact=True)
    stop = page.locator("#preview .card").nth(0).get_by_role("listitem").nth(1)
    due = page.get_by_label("Échéance de l’exemple")
    due.fill("2026-12-31")  # eight days later is a Friday
    expect(stop).to_contain_text("08/01")
    row.locator("summary").first.press("Enter")
    days = row.get_by_role("group", name="Relance 1 : jours de la semaine")
    days.get_by_label("mar.").check()
    expect(stop).to_contain_text("12/01")
    expect(stop).to_contain_text("tombait le 08/01, jour fermé")
    expect(row.locator("summary").first).to_contain_text("mar.")
    row.get_by_label("Relance 1 : jours du mois").fill("40")
    expect(row).to_contain_text("Les jours du mois vont de 1 à 31")
    row.get_by_label("Relance 1 : jours du mois").fill("")
    row.get_by_label("Relance 1 : jours fériés").select_option(label="sauf jours fériés")
    row.get_by_label("Relance 1 : envoi automatique dès").fill("08:30")
    expect(page.locator("#preview")).to_contain_text("Avec e-mail, Relance 1 : jours et heure")
    assert not found_by_axe(page)
    page.get_by_role("button", name="Publier une nouvelle version").click()
    expect(page.get_by_role("status").first).to_contain_text("La version 2 est publiée")
    assert played.fakes is not None
    _, _, body = next(one for one in reversed(played.fakes.commands) if one[1] == "/scenarios")
    own = {one["step"]: one["calendar"] for one in body["with_email"]}
    assert own["R1"] == {"weekdays": [2], "month_days": None, "skip_holidays": True, "not_before": "08:30"}
    assert own["R2"] is None


def test_without_javascript_the_same_can_be_looked_at_and_published(played: Site, browser: Browser) -> None:
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/scenarios")
    row = page.get_by_role("group", name="Relance 1, avec e-mail")
    row.get_by_label("Relance 1 : délai en jours").fill("12")
    page.get_by_role("button", name="Voir sans enregistrer").click()
    expect(page.locator("#preview")).to_contain_text("Relance 1 : délai : 8 → 12")
    context.close()


def test_a_colleague_gets_copies_of_a_step(page: Page, played: Site) -> None:
    """Rule 4.14: the step carries the id of an address that stays with notify."""
    page.get_by_label("Adresse e-mail de la personne en copie").fill("anna@delcourt.example")
    page.get_by_label("Nom de la personne en copie").fill("Anna")
    page.get_by_role("button", name="Ajouter").click()
    expect(page.get_by_role("status").first).to_contain_text("L’adresse est enregistrée")
    row = page.get_by_role("group", name="Relance 1, avec e-mail")
    row.get_by_text("0 copie").click()
    row.get_by_label("Anna").check()
    expect(page.locator("#preview")).to_contain_text("Avec e-mail, Relance 1 : copies")
    page.get_by_role("button", name="Publier une nouvelle version").click()
    assert played.fakes is not None
    expect(page.get_by_role("status").first).to_contain_text("La version 2 est publiée")
    _, _, body = next(one for one in reversed(played.fakes.commands) if one[1] == "/scenarios")
    assert next(one for one in body["with_email"] if one["step"] == "R1")["copies"] == [COPY_ID]
    assert "@" not in str(body)
