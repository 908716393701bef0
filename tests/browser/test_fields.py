"""Free fields and the sales person on the pages (rules 16.1, 19.4): named, filled by hand, shown, filtered on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.pictures import sign_in, whole
from tests.browser.conftest import PICTURES, Site


@pytest.fixture(params=(1440, 390))
def page(request: pytest.FixtureRequest, played: Site, browser: Browser) -> Iterator[Page]:
    assert played.fakes is not None
    played.fakes.commands.clear()
    page = browser.new_page(locale="fr-FR", viewport={"width": request.param, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    yield page
    page.close()


def show(page: Page, name: str) -> None:
    if PICTURES:
        whole(page)
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png")


def test_an_administrator_names_the_fields(played: Site, page: Page) -> None:
    assert played.fakes is not None
    page.goto(f"{played.url}/c/{played.company}/fields")
    first = page.get_by_role("textbox", name="Nom du champ libre 1", exact=True)
    expect(first).to_have_count(2)
    expect(first.first).to_have_value("Région")
    page.get_by_role("textbox", name="Nom du champ libre 2", exact=True).first.fill("")
    page.get_by_role("textbox", name="Nom du champ libre 3", exact=True).first.fill("Enseigne")
    page.locator("[name=client_tag3_listed]").uncheck()
    show(page, "fields")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Les champs libres sont enregistrés.")).to_be_visible()
    assert played.fakes.commands[-1] == (
        "ledger",
        "/fields",
        {
            "client": [
                {"field": "tag1", "title": "Région", "listed": True},
                {"field": "tag3", "title": "Enseigne", "listed": False},
            ],
            "entry": [{"field": "tag1", "title": "Chantier", "listed": True}],
        },
    )


def test_fields_and_sales_person_stand_on_the_clients_page_and_are_filled_there(played: Site, page: Page) -> None:
    assert played.fakes is not None
    client = f"{played.url}/c/{played.company}/client?client_id=411MUNOZSA"
    page.goto(client)
    card = page.locator("#fields")
    expect(card).to_contain_text("Anne Caron")
    expect(card).to_contain_text("Cadre 2026")
    expect(page.locator("#account").get_by_text("Pont de Nancy").locator("visible=true")).to_be_visible()
    show(page, "client-fields")
    page.get_by_role("link", name="Remplir les champs libres").click()
    region = page.get_by_label("Région")
    expect(region).to_have_value("Grand Est")
    assert region.get_attribute("placeholder") == "Nord", "what accounting says"
    region.fill(" ")
    page.get_by_label("Contrat").fill("Cadre 2027")
    show(page, "client-fields-form")
    page.get_by_role("button", name="Enregistrer les champs").click()
    expect(page.get_by_text("Les champs libres sont enregistrés.")).to_be_visible()
    told = {"client_id": "411MUNOZSA", "fields": {"tag1": None, "tag2": "Cadre 2027"}}
    assert played.fakes.commands[-1] == ("ledger", "/client-fields", told)


def test_who_owes_what_is_filtered_by_field_and_sales_person(played: Site, page: Page) -> None:
    page.goto(f"{played.url}/c/{played.company}/who-owes-what")
    wide = (page.viewport_size or {"width": 0})["width"] > 1000
    if wide:
        expect(page.get_by_role("columnheader", name="Région")).to_be_visible()
        expect(page.get_by_role("columnheader", name="Commercial")).to_be_visible()
    else:
        page.get_by_role("button", name="Filtrer").first.click()
        # unfolded to the end: nothing moves under a click any more
        expect(page.locator("#filters.collapse.show")).to_be_visible()
    show(page, "who-owes-what")
    page.locator("[name=tag1]").select_option("Grand Est")
    page.locator("[name=salesperson]").select_option(label="Paul Roux")
    page.locator("#filters").get_by_role("button", name="Filtrer").click()
    page.wait_for_url("**tag1=Grand+Est**")
    assert "salesperson=7" in page.url
    expect(page.locator("select[name=tag1]")).to_have_value("Grand Est")
