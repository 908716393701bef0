"""Trying a scenario: the question, its progress, its answer; by keyboard and without scripts."""

from playwright.sync_api import Browser, expect

from cli.pictures import sign_in
from tests.browser.conftest import Site
from tests.integration.console.fixture_simulation import DONE, Simulations


def test_a_changed_step_is_simulated_and_its_result_comes_by_itself(played: Site, browser: Browser) -> None:
    assert played.fakes is not None
    played.fakes.simulations = Simulations()
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/simulation")
    page.get_by_label("Scénario du profil").select_option("Standard")
    page.get_by_label("Jours de Relance 1, Clients avec e-mail").fill("12")
    page.get_by_label("Hypothèse").select_option("habits")
    page.get_by_role("button", name="Simuler").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Simulation en cours")
    expect(page.get_by_role("heading", name="Par étape")).to_be_visible(timeout=20_000)
    expect(page.locator("[data-chart=messages] canvas")).to_be_visible()
    service, path, body = played.fakes.commands[-1]
    assert (service, path) == ("dunning", "/simulations")
    assert (body["days"], body["assume"]) == (90, "habits")
    (draft,) = body["scenarios"]
    assert draft["profile"] == "Standard"
    assert [step["delay_days"] for step in draft["with_email"]] == [8, 12, 8, 8, 8, 8]
    assert "version" not in draft
    page.close()


def test_the_answer_is_read_without_scripts_and_by_kind(played: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/simulation?id={DONE}")
    expect(page.locator("#differences tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Plus tard").click()
    expect(page.locator("#differences tbody tr")).to_have_count(2)
    page.get_by_text("Voir le calendrier en tableau").click()
    expect(page.locator("#sent-by-day tbody tr")).to_have_count(13)
    context.close()


def test_nothing_changed_asks_for_the_current_scenario_over_the_past(played: Site, browser: Browser) -> None:
    assert played.fakes is not None
    page = browser.new_page(locale="fr-FR", viewport={"width": 390, "height": 844})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/simulation?profile=Export")
    page.get_by_label("Le passé, tel qu’il fut").check()
    page.get_by_label("Du", exact=True).fill("2026-09-01")
    page.get_by_role("button", name="Simuler").click()
    page.wait_for_url("**id=**")
    body = played.fakes.commands[-1][2]
    assert body == {"from": "2026-09-01", "to": "2026-11-23"}
    costs = page.locator("#costs")
    expect(costs.get_by_label("E-mail")).to_have_value("0,02")
    costs.get_by_label("Courrier").fill("1,839")
    costs.get_by_role("button", name="Enregistrer les coûts").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Les coûts sont enregistrés")
    wanted = {"email": "0.02", "letter": "1.839", "phone": "5.00", "other": "15.00"}
    assert played.fakes.commands[-1] == ("dunning", "/contact-costs", wanted)
    assert "profile=Export" in page.url
    page.close()
