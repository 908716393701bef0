"""A key for another system, made, used and revoked by an administrator at the screen."""

import json
from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect

from cli.pictures import sign_in, whole
from tests.browser.conftest import PICTURES, Site, settled
from tests.browser.test_access import found_by_axe


def test_a_key_is_made_with_rights_that_are_ticked_used_and_revoked(played: Site, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/profiles")
    page.locator(".page-groups").get_by_role("link", name="Clés d’API").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clés d’API")
    page.get_by_label("Nom du système").fill("crm")
    reads = page.get_by_role("group", name="Peut lire")
    for right in ("Clients", "Comptes"):
        reads.get_by_label(right).check()
    page.get_by_label("Dernier jour").fill("2999-12-31")
    page.get_by_label("Votre mot de passe").fill(played.password)
    page.get_by_role("button", name="Faire la clé").click()
    expect(page.get_by_role("heading", name="À copier maintenant : crm")).to_be_visible()
    key = json.loads(page.locator("#handed").inner_text())
    row = page.get_by_role("row").filter(has_text=key["client_id"])
    expect(row).to_contain_text("Clients, Comptes")
    expect(row).to_contain_text("31/12/2999")
    assert found_by_axe(page) == []
    if PICTURES:
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            settled(page)
            whole(page)
            page.screenshot(path=Path(PICTURES) / f"api-keys-{width}.png")
        page.set_viewport_size({"width": 1440, "height": 900})

    form = {"grant_type": "client_credentials"}
    with httpx.Client(base_url=played.url) as crm:
        given = crm.post(key["token_url"], data=form, auth=(key["client_id"], key["client_secret"])).json()
        bearer = {"Authorization": f"Bearer {given['access_token']}"}
        clients = f"/api/reporting/companies/{played.company}/clients"
        assert crm.get(clients, headers=bearer).status_code == 200

        page.goto(f"{played.url}/c/{played.company}/api-keys")
        expect(page.locator("#handed")).to_have_count(0)
        row = page.get_by_role("row").filter(has_text=key["client_id"])
        expect(row).not_to_contain_text("jamais")
        row.locator("summary").click()
        row.get_by_role("button", name="Révoquer").click()
        expect(page.locator("[role=status]")).to_contain_text("La clé est révoquée")
        expect(page.get_by_role("row").filter(has_text=key["client_id"])).to_contain_text("révoquée")
        assert crm.get(clients, headers=bearer).status_code == 401
    page.close()
