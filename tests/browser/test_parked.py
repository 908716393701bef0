"""Configurer, Événements en attente, in a real browser: to skip takes a reason and a tick."""

import pytest
from playwright.sync_api import Browser, expect

from cli.pictures import sign_in
from tests.browser.conftest import Site


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_administrator_tries_again_and_skips(played: Site, browser: Browser, scripts: bool) -> None:
    assert played.fakes is not None
    played.fakes.commands.clear()
    context = browser.new_context(locale="fr-FR", java_script_enabled=scripts)
    page = context.new_page()
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/parked")
    slice_ = page.locator("section.card", has_text="Munoz S.A.").first
    slice_.get_by_role("button", name="Réessayer").click()
    expect(page.get_by_role("status").first).to_contain_text("est appliqué")
    slice_.get_by_text("Passer outre…").click()
    expect(slice_).to_contain_text("Rien ne permet de revenir en arrière")
    slice_.get_by_role("button", name="Passer outre").click()
    expect(slice_.get_by_label("Raison")).to_be_focused()  # the browser asks for it; nothing was sent
    slice_.get_by_label("Raison").fill("pièce envoyée deux fois")
    slice_.get_by_label("Je décide").check()
    slice_.get_by_role("button", name="Passer outre").click()
    expect(page.get_by_role("status").first).to_contain_text("L’événement est écarté")
    assert [path for _, path, _ in played.fakes.commands] == ["/parked/retry", "/parked/skip"]
    erased = page.locator("section.card", has_text="PersonErased")
    expect(erased).to_contain_text("Un effacement ne s’écarte pas")
    expect(erased.get_by_text("Passer outre…")).to_have_count(0)
    context.close()
