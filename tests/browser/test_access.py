"""Pages for everyone: axe-core finds nothing (WCAG 2.2 A and AA), nothing overflows or breaks the policy."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from cli.pictures import sign_in
from services.console import frontend
from tests.browser.conftest import Site, settled
from tests.integration.console.fixture_other_systems import CRM
from tests.integration.console.fixture_simulation import DONE as SIMULATED
from tests.integration.console.neighbours import action_id, entry_id

AXE = Path(frontend.MODULES) / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "home",
    "who-owes-what",
    "who-owes-what?q=personne",
    "clients",
    f"client?client_id=411MUNOZSA&entry={entry_id('FAC20131')}",
    f"client?client_id=411MUNOZSA&entry={entry_id('FAC20162')}",
    "client?client_id=411MUNOZSA&contact=new",
    "client?client_id=411MUNOZSA&tab=history",
    "client?client_id=411MUNOZSA&tab=why",
    "client?client_id=411MUNOZSA&as_of=2026-11-10",
    "client?client_id=411MUNOZSA&as_of=2026-11-10&tab=why",
    "client?client_id=411MUNOZSA&as_of=2026-11-10&tab=history",
    "activities",
    "disputes",
    "promises",
    "rules",
    "client-policies",
    "client/policy?client_id=411MUNOZSA",
    "due-items",
    "receipts",
    "payers",
    "forecast",
    "forecast/objectives",
    "forecast/list?until=2026-11-22",
    "alerts",
    "fields",
    "late-interest",
    "client?client_id=411MUNOZSA&contact=fields",
    "profiles",
    "dispute-reasons",
    "scenarios",
    "scenarios?profile=Interne&like=Export",
    "personal?client_id=411MUNOZSA",
    "client/collection-file?client_id=411MUNOZSA",
    f"act?group=email-R1-Standard-e&open={action_id('411CLEMENT', 'R1', 'email')}",
    f"act?medium=phone&open={action_id('411MUNOZSA', 'R2', 'phone')}",
    "act/criteria?level=R1",
    "my-tasks",
    "cash-report",
    "users",
    "parked",
    "rebuilds",
    "online-payment",
    "retention",
    "mail/authorization",
    "leaving",
    "api-keys",
    "other-systems",
    f"other-systems?webhook={CRM}",
    "templates",
    "template?name=R1",
    "template?name=R5&medium=letter&language=en",
    "template?name=rappel_doux&kind=reminder&title=Rappel+doux",
    "sender",
    "simulation",
    f"simulation?id={SIMULATED}",
    "search?q=munoz",
    f"message?action_id={action_id('sent')}",
    f"imports?run={action_id('run')}",
    f"imports/files/{action_id('sample')}",
    f"imports/files/{action_id('sample')}?name=factures&run={action_id('run')}",
)
WIDTHS = (1440, 1280, 1024, 768, 390)


def found_by_axe(page: Page) -> list[str]:
    """Each violation with the elements that show it, from the top of the page: what the bar above half covers
    after a scroll is not too small for that."""
    settled(page)
    page.evaluate("scrollTo({top: 0, left: 0, behavior: 'instant'})")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    violations: list[dict[str, Any]] = page.evaluate(
        """async rules => {
            const only = {type: 'tag', values: rules};
            const options = {runOnly: only, iframes: false, resultTypes: ['violations']};
            return (await axe.run(document, options)).violations;
        }""",
        RULES,
    )
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def choose_theme(page: Page, theme: str) -> None:
    """As the button does, whatever is shown at this size."""
    with page.expect_navigation():
        page.evaluate(
            """theme => {
                const form = document.querySelector('form[action="/preferences"]');
                const field = document.createElement('input');
                Object.assign(field, {type: 'hidden', name: 'theme', value: theme});
                form.append(field);
                form.submit();
            }""",
            theme,
        )


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_every_page_is_accessible_and_fits(played: Site, browser: Browser, width: int, theme: str) -> None:
    """Colours depend on the theme and layout on the width, so two walks see both; a page that was loaded wide is
    made narrower step by step, as a window is."""
    size = {"width": width, "height": 900}
    context = browser.new_context(viewport=size, bypass_csp=False, locale="fr-FR")
    page = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{played.url}/login")
    problems = [f"login: {problem}" for problem in found_by_axe(page)]
    sign_in(page, played.url, played.login, played.password)
    choose_theme(page, theme)
    for path in PAGES:
        page.goto(f"{played.url}/c/{played.company}/{path}")
        settled(page)
        assert page.get_attribute("html", "data-bs-theme") == theme
        problems += [f"{path}: {problem}" for problem in found_by_axe(page)]
        for narrower in (step for step in WIDTHS if step <= width):
            page.set_viewport_size({**size, "width": narrower})
            if overflow(page) > 0:
                problems.append(f"{path}: {overflow(page)} pixels wider than {narrower}")
        page.set_viewport_size(size)
    context.close()
    assert not problems, "\n".join(problems)
    assert complaints == []
