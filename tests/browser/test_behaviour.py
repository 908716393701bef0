"""What scripts add, and what works without them."""

from playwright.sync_api import Browser, expect

from cli.pictures import sign_in
from services.console.site import MOST_TRIES
from tests.browser.conftest import Site
from tests.integration.console.neighbours import action_id


def test_unticking_changes_the_count_and_one_question_precedes_the_sending(played: Site, browser: Browser) -> None:
    """Rule 9.7."""
    assert played.fakes is not None
    page = browser.new_page(locale="fr-FR")
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/act?group=email-R1-Standard-e")
    bar = page.locator(".confirm-bar")
    expect(bar).to_contain_text("15\u00a0e-mails".replace("\u00a0", " "))
    page.locator("input[name=ticked]").nth(1).uncheck()
    expect(bar.get_by_role("button")).to_have_text("Envoyer 14 e-mails")
    page.locator("input[name=ticked]").nth(1).check()
    expect(bar.get_by_role("button")).to_have_text("Envoyer 15 e-mails")
    bar.get_by_role("button").click()
    question = page.get_by_role("dialog")
    expect(question).to_be_visible()
    expect(question).to_contain_text("Envoyer 15 e-mails à 10 clients")
    assert played.fakes.commands == [], "nothing leaves before the answer"
    question.get_by_role("button", name="Fermer").click()
    expect(question).to_be_hidden()
    assert played.fakes.commands == []
    bar.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Envoyer 15 e-mails").click()
    expect(page.locator("[role=status]")).to_contain_text("Envoi terminé", timeout=20_000)
    page.close()


def test_the_slash_goes_to_the_search(played: Site, browser: Browser) -> None:
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 900})
    sign_in(page, played.url, played.login, played.password)
    page.keyboard.press("/")
    page.keyboard.type("munoz")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("munoz")
    page.close()


def test_a_client_may_be_read_and_stopped_without_scripts(played: Site, browser: Browser) -> None:
    assert played.fakes is not None
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    sign_in(page, played.url, played.login, played.password)
    expect(page.locator("#ageing-buckets")).to_be_visible()
    page.goto(f"{played.url}/c/{played.company}/client?client_id=411MUNOZSA")
    page.get_by_role("button", name="STOP").click()
    expect(page.get_by_text("Les relances de ce client sont stoppées.")).to_be_visible()
    assert played.fakes.commands[-1] == ("ledger", "/stop-client", {"client_id": "411MUNOZSA"})
    page.goto(f"{played.url}/c/{played.company}/act?medium=letter")
    page.locator(".confirm-bar button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Préparer")
    context.close()


def test_a_page_that_is_not_ready_asks_again_by_itself_and_not_for_ever(played: Site, browser: Browser) -> None:
    """Without scripts: from the last but one try on, then by the button."""
    assert played.fakes is not None
    played.fakes.refuse["/preview"] = {"type": "action-unknown", "status": 404}
    context = browser.new_context(locale="fr-FR", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, played.url, played.login, played.password)
    wanted = f"{played.url}/c/{played.company}/message?preview=true&action_id="
    wanted += action_id("411CLEMENT", "R1", "letter")
    page.goto(f"{wanted}&tries={MOST_TRIES - 1}")
    expect(page.get_by_role("heading")).to_have_text("Encore un instant")
    expect(page.get_by_role("heading")).to_have_text("Toujours en préparation")
    expect(page.get_by_text("ne se recharge plus")).to_be_visible()
    del played.fakes.refuse["/preview"]
    page.get_by_role("link", name="Réessayer").click()
    expect(page).to_have_url(wanted)
    expect(page.get_by_text("Toujours en préparation")).to_have_count(0)
    context.close()
