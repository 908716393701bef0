"""What scripts add, and what works without them."""

from playwright.sync_api import Browser, expect

from cli.pictures import sign_in
from tests.browser.conftest import Site


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
