"""The policy of a company, changed by its administrator at the screen and at the keyboard."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.pictures import sign_in, whole
from tests.browser.conftest import PICTURES, Site
from tests.integration.console.neighbours import entry_id

CHOSEN = "Les relances automatiques de ces pièces sont réglées"


def _open(played: Site, browser: Browser, width: int = 1440) -> Page:
    page = browser.new_page(locale="fr-FR", viewport={"width": width, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/rules")
    return page


def test_options_are_changed_and_saved_whole(played: Site, browser: Browser) -> None:
    """Rules 6.3, 22.7, 22.13, 22.26: each says what it does; the rest of the policy stays."""
    assert played.fakes is not None
    page = _open(played, browser)
    expect(page.get_by_role("heading", level=1)).to_have_text("Politique de relance")
    gap = page.get_by_label("Jours entre deux contacts d’un même client")
    expect(gap).to_have_value("5")
    gap.fill("7")
    page.get_by_label("Une relance regroupe").select_option("account")
    page.get_by_label("Actifs pour les factures datées à partir du").fill("2026-11-01")
    page.get_by_label("Retard toléré par client").fill("1 250,40")
    hidden = page.get_by_label("Masquer les clients créditeurs")
    hidden.focus()
    page.keyboard.press("Space")
    expect(hidden).to_be_checked()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("[role=status]")).to_contain_text("La politique est enregistrée")
    service, path, wanted = played.fakes.commands[-1]
    assert (service, path) == ("dunning", "/policy")
    changed = {
        "contact_gap_days": 7,
        "mode": "account",
        "automatic_from": "2026-11-01",
        "tolerance_amount": "1250.40",
        "creditors_hidden": True,
        "minimum_per_reminder": "50.00",
        "promises_exclude": True,
    }
    assert {name: wanted[name] for name in changed} == changed
    assert "calendar" in wanted
    page.close()


def test_what_cannot_be_read_is_named_at_its_field(played: Site, browser: Browser) -> None:
    assert played.fakes is not None
    before = len(played.fakes.commands)
    page = _open(played, browser)
    page.get_by_label("Plafond d’une relance").fill("beaucoup")
    page.get_by_label("Jours de tolérance après l’échéance").fill("10")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("rien n’a été enregistré")
    wrong = page.get_by_label("Plafond d’une relance")
    expect(wrong).to_have_value("beaucoup")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Jours de tolérance après l’échéance")).to_have_value("10")
    assert len(played.fakes.commands) == before
    page.close()


def test_a_client_gets_a_policy_of_its_own_and_loses_it_again(played: Site, browser: Browser) -> None:
    """Rules 22.26, 22.27: by keyboard; what is left empty follows the company."""
    assert played.fakes is not None
    page = _open(played, browser)
    page.goto(f"{played.url}/c/{played.company}/client?client_id=411MUNOZSA")
    page.get_by_role("link", name="celle de la société").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Politique de relance de Munoz S.A.")
    never = page.get_by_label("Ne jamais relancer ce client")
    never.press("Space")
    page.get_by_label("Scénario suivi").select_option("Export")
    page.get_by_label("Jours de tolérance après l’échéance").fill("dix")
    page.get_by_label("Retard toléré").fill("1 250,40")
    page.get_by_role("button", name="Enregistrer").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("rien n’a été enregistré")
    expect(never).to_be_checked()
    days = page.get_by_label("Jours de tolérance après l’échéance")
    expect(days).to_have_attribute("aria-invalid", "true")
    days.fill("10")
    page.get_by_role("button", name="Enregistrer").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("La politique de ce client est enregistrée")
    assert played.fakes.commands[-1] == (
        "dunning",
        "/client-policy",
        {
            "client_id": "411MUNOZSA",
            "profile": "Export",
            "never": True,
            "tolerance_days": 10,
            "tolerance_amount": "1250.40",
        },
    )
    page.get_by_role("link", name="Le client").click()
    expect(page.get_by_role("link", name="Jamais relancé", exact=True)).to_be_visible()
    page.goto(f"{played.url}/c/{played.company}/client-policies")
    row = page.get_by_role("row", name="Munoz S.A.")
    for told in ("jamais relancé", "scénario « Export »", "10 jours de tolérance", "retard toléré 1 250,40 €"):
        expect(row).to_contain_text(told)
    row.get_by_role("link", name="Politique de Munoz S.A.").press("Enter")
    page.get_by_role("button", name="Revenir à la politique de la société").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("suit de nouveau la politique de la société")
    assert played.fakes.commands[-1][2]["never"] is False
    page.close()


def test_entries_are_opted_in_and_out_one_by_one_and_in_bulk(played: Site, browser: Browser) -> None:
    """Rule 22.13: from the client's page, and from the list of what waits, which a filter narrows."""
    assert played.fakes is not None
    page = _open(played, browser)
    statement = f"{played.url}/c/{played.company}/client?client_id=411MUNOZSA"
    page.goto(f"{statement}&entry={entry_id('FAC20131')}")
    panel = page.locator(".entry-panel")
    panel.get_by_label("Relances automatiques").select_option(label="attendent un accord")
    panel.get_by_role("button", name="Appliquer").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text(CHOSEN)
    named = {"client_id": "411MUNOZSA", "entry_id": entry_id("FAC20131")}
    assert played.fakes.commands[-1] == ("dunning", "/automatic", {"automatic": False, "entries": [named]})
    page.get_by_role("button", name="Appliquer aux pièces cochées").click()
    expect(page.get_by_role("alert")).to_contain_text("Cochez au moins une pièce")
    page.goto(f"{played.url}/c/{played.company}/due-items")
    page.get_by_label("Relance automatique", exact=True).select_option(label="Avec relance automatique")
    page.get_by_role("button", name="Filtrer").click()
    page.wait_for_url("**automatic=true**")
    page.get_by_label("Cocher toutes les lignes").check()
    page.get_by_label("Relances automatiques").select_option(label="selon la politique")
    page.get_by_role("button", name="Appliquer aux pièces cochées").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text(CHOSEN)
    service, path, body = played.fakes.commands[-1]
    assert (service, path, body["automatic"], len(body["entries"])) == ("dunning", "/automatic", None, 3)
    assert "automatic=true" in page.url
    page.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_is_wider_than_the_screen(played: Site, browser: Browser, width: int) -> None:
    page = _open(played, browser, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if PICTURES:
        whole(page)
        page.screenshot(path=Path(PICTURES) / f"policy-{width}.png")
    page.close()
