"""The forecast with a mouse: what is dragged to a week is expected then."""

import os

from playwright.sync_api import Browser, expect

from cli.pictures import sign_in
from tests.browser.conftest import Site
from tests.integration.console.neighbours import entry_id


def test_an_entry_is_dragged_to_another_week(played: Site, browser: Browser) -> None:
    """Rules 5.7, 16.8: what is ticked goes along when what is dragged is ticked as well, and is left where not."""
    assert played.fakes is not None
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, played.url, played.login, played.password)
    page.goto(f"{played.url}/c/{played.company}/forecast")
    if folder := os.environ.get("RELANCE_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/forecast-1440.png", full_page=True)
    weeks = page.locator(".week")
    late = page.locator(".expected", has_text="FAC20114")
    ahead = page.locator(".expected", has_text="FAC20156")
    ahead.get_by_role("checkbox").check()
    late.drag_to(weeks.nth(3))
    expect(page.get_by_role("status")).to_contain_text("1 pièce est attendue à une autre date")
    moved = {"client_id": "411MUNOZSA", "entry_id": entry_id("FAC20114"), "expected_on": "2026-12-11"}
    assert played.fakes.commands[-1] == ("ledger", "/reposition-entry", moved)

    before = len(played.fakes.commands)
    for card in (late, ahead):
        card.get_by_role("checkbox").check()
    ahead.drag_to(weeks.nth(1))
    expect(page.get_by_role("status")).to_contain_text("2 pièces sont attendues")
    told = [(body["entry_id"], body["expected_on"]) for _, _, body in played.fakes.commands[before:]]
    assert told == [(entry_id(piece), "2026-11-27") for piece in ("FAC20114", "FAC20156")]
    page.close()
