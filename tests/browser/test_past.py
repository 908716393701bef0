"""A person asks why, goes back to a past day, walks through days, and returns."""

from playwright.sync_api import Browser, expect

from cli.pictures import sign_in
from tests.browser.conftest import Site

CLIENT = "client?client_id=411MUNOZSA"


def test_why_names_the_rules_and_what_comes_next(played: Site, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/{CLIENT}")
    page.get_by_role("link", name="Pourquoi ?").click()
    first = page.locator(".why").first
    expect(first).to_contain_text("R2 est à faire depuis le 17/11/2026.")
    expect(first).to_contain_text("règle 4.12")
    expect(first.locator("li").first).to_be_hidden()
    first.get_by_text("2 règles appliquées").click()
    expect(first).to_contain_text("8 jours après l’étape précédente du 09/11/2026, soit le 17/11/2026.")
    first.get_by_text("1 fait passé").click()
    expect(first).to_contain_text("R1 faite par e-mail")
    waiting = page.locator(".why", has_text="FAC20233")
    expect(waiting).to_contain_text("Si rien ne change, R1 sera à faire le 10/12/2026.")
    page.close()


def test_a_past_day_is_looked_at_and_left_again(played: Site, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/{CLIENT}&tab=why")
    page.get_by_label("Tel que connu le").fill("10/11/2026")
    page.get_by_role("button", name="Voir", exact=True).click()
    banner = page.get_by_role("status")
    expect(banner).to_contain_text("Vous regardez le passé.")
    expect(banner).to_contain_text("10/11/2026")
    expect(page.locator("#account")).to_contain_text("Ce qui valait le 10/11/2026")
    for command in ("STOP", "Démarrer", "Enregistrer la note", "Noter la promesse"):
        expect(page.get_by_role("button", name=command, exact=True)).to_have_count(0)
    assert played.fakes is not None

    page.get_by_role("link", name="Situation de compte").click()
    expect(page.locator("#account tbody tr")).to_have_count(2)
    expect(page.locator("#account tfoot")).to_contain_text("10 392,36")
    page.get_by_role("link", name="Historique", exact=True).click()
    expect(page.locator("#account")).to_contain_text("R1 faite par e-mail")

    page.get_by_role("link", name="La veille, le 09/11/2026").click()
    expect(banner).to_contain_text("09/11/2026")
    expect(page.get_by_role("link", name="Historique", exact=True)).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Revenir à aujourd’hui").click()
    expect(page.get_by_role("button", name="STOP", exact=True)).to_be_visible()
    page.close()


def test_today_and_later_are_no_past(played: Site, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR")
    sign_in(page, played.url, played.login, played.password)
    for day in ("2026-11-24", "2026-12-24", "hier"):
        page.goto(f"{played.url}/c/{played.company}/{CLIENT}&as_of={day}")
        expect(page.get_by_role("button", name="STOP", exact=True)).to_be_visible()
    page.close()
