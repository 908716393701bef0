"""Signing in by a provider of identities, in a real browser: there, back, out again, and turned back."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import OKPKey
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from chassis.auth import new_key_pair
from chassis.database import engine, transaction
from chassis.embedded import Stack
from services.console import letting_in
from services.console.accounts import create_user
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings
from services.console.single_sign_on.wiring import configured
from services.console.site import site
from services.console.visits import Console
from tests.browser.conftest import PICTURES, settled
from tests.browser.test_access import found_by_axe, overflow
from tests.integration.console.fixture_explained import explained
from tests.integration.console.fixture_tasks import tasks
from tests.integration.console.neighbours import AS_OF, FakeServices
from tests.integration.console.oidc_server import CLIENT, SECRET, Identities, Someone
from tests.integration.notify.conftest import made_certificate
from tests.serving import listening, port_of, serving_besides

LUCIE = Someone("sub-of-lucie", "lucie@delcourt.example", "Lucie Navarro")


@dataclass
class Signing:
    """Two consoles by one provider: one with passwords, and one without."""

    url: str
    alone: str
    identities: Identities
    link: str
    """Of an operator, for Lucie, at the one without."""


@pytest.fixture(scope="module")
def signing(stack: Stack, front_end: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signing]:
    folder = tmp_path_factory.mktemp("single-sign-on")
    certificate = made_certificate(folder)
    key_file = folder / "token_key.pem"
    key_file.write_text(new_key_pair().private, encoding="utf-8")
    here, other = listening(), listening()
    url, alone = (f"http://127.0.0.1:{port_of(one)}" for one in (here, other))
    identities = Identities(f"{url}/sign-on/return", person=LUCIE)

    def console(console_url: str, *, by_password: bool) -> Console:
        fakes = FakeServices()
        fakes.tasks, fakes.explained = tasks(), explained()
        names = ("sync", "ledger", "dunning", "notify", "reporting")
        settings = ConsoleSettings(
            allow_as_of=True,
            as_of=AS_OF,
            console_url=console_url,
            password_sign_in=by_password,
            oidc_issuer=identities.issuer,
            oidc_name="Delcourt ID",
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_ca_file=certificate,
            oidc_networks="127.0.0.1",
            **{f"{name}_url": f"http://{name}" for name in names},
        )
        engines = [engine(stack.database_url("console", role), "console") for role in ("worker", "api")]
        gateway = Gateway(
            settings,
            httpx.AsyncClient(transport=fakes.transport()),
            OKPKey.import_key(key_file.read_text(encoding="utf-8")),
        )
        return Console(settings, *engines, gateway, configured(settings, key_file))

    async def invited() -> str:
        own = engine(stack.database_url("console", "worker"), "console", size=1)
        async with transaction(own) as tx:
            await create_user(tx, LUCIE.email, None, LUCIE.name, {"delcourt": "admin"})
            link = await letting_in.link_for(tx, LUCIE.email)
        await own.dispose()
        return link.token

    token = asyncio.run(invited())
    with (
        serving_besides(identities.app(), identities.listener, ssl_certfile=certificate),
        serving_besides(site(console(url, by_password=True)), here),
        serving_besides(site(console(alone, by_password=False)), other),
    ):
        yield Signing(url, alone, identities, f"{alone}{letting_in.PATH}?token={token}")


@pytest.fixture
def context(signing: Signing, browser: Browser) -> Iterator[BrowserContext]:
    """The browser believes the provider; whether the console does is not the browser's to say."""
    opened = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
    yield opened
    opened.close()
    signing.identities.person = LUCIE
    signing.identities.down = False


def looked_at(page: Page, name: str) -> None:
    """Accessible, and within its window on a phone too; kept as pictures where somebody wants them."""
    settled(page)
    assert found_by_axe(page) == []
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) <= 0, f"{name} is wider than {width}"
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_person_comes_by_the_provider_and_leaves_by_it(signing: Signing, context: BrowserContext) -> None:
    page = context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # the provider's own pages are none of ours
        if message.type == "error" and not message.location["url"].startswith(signing.identities.base):
            complaints.append(message.text)

    page.on("console", listen)
    page.goto(f"{signing.url}/c/delcourt/clients")
    looked_at(page, "sign-in-with-provider")
    page.get_by_role("link", name="Se connecter avec Delcourt ID").click()
    expect(page.get_by_role("heading", name="Provider")).to_be_visible()
    page.get_by_role("link", name="Accept").click()
    page.wait_for_url("**/c/delcourt/clients")
    page.goto(f"{signing.url}/companies")
    expect(page.locator("header")).to_contain_text("Lucie Navarro")
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/login")
    assert len(signing.identities.logged_out) == 1
    assert signing.identities.logged_out[0]["id_token_hint"]
    page.goto(f"{signing.url}/c/delcourt/home")
    expect(page).to_have_url(f"{signing.url}/login?back=%2Fc%2Fdelcourt%2Fhome")
    assert complaints == [], "the policy of the pages lets all of it pass"


def test_a_person_whom_nobody_knows_is_told_so(signing: Signing, context: BrowserContext) -> None:
    signing.identities.person = replace(LUCIE, subject="sub-of-noah", email="noah@delcourt.example")
    page = context.new_page()
    page.goto(f"{signing.url}/sign-on")
    page.get_by_role("link", name="Accept").click()
    expect(page.get_by_role("heading")).to_have_text("Accès refusé")
    expect(page.locator("main")).to_contain_text("Vous n’avez pas de compte ici.")
    looked_at(page, "sign-on-refused")
    page.get_by_role("link", name="Retour à la connexion").click()
    page.wait_for_url("**/login")


def test_a_person_who_refuses_there_may_start_again(signing: Signing, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{signing.url}/sign-on?back=/c/delcourt/clients")
    page.get_by_role("link", name="Refuse").click()
    expect(page.locator("main")).to_contain_text("n’a pas confirmé votre identité")
    page.get_by_role("link", name="Recommencer").click()
    page.get_by_role("link", name="Accept").click()
    page.wait_for_url("**/c/delcourt/clients")


def test_where_passwords_are_off_there_is_the_provider_and_the_operators_link(
    signing: Signing, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{signing.alone}/login")
    expect(page.get_by_label("Mot de passe")).to_have_count(0)
    looked_at(page, "sign-in-by-provider-alone")
    page.goto(signing.link)
    looked_at(page, "let-in")
    page.get_by_role("button", name="Entrer").click()
    page.wait_for_url("**/c/delcourt/home")
    page.goto(f"{signing.alone}/c/delcourt/leaving")
    expect(page.get_by_role("button", name="Demander un export")).to_be_visible()


def test_before_an_export_a_person_shows_once_more_who_they_are(signing: Signing, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{signing.url}/sign-on?back=/c/delcourt/leaving")
    page.get_by_role("link", name="Accept").click()
    page.wait_for_url("**/leaving")
    looked_at(page, "leaving-by-provider")
    page.get_by_role("link", name="Se reconnecter avec Delcourt ID").click()
    page.get_by_role("link", name="Accept").click()
    page.wait_for_url("**/leaving")
    expect(page.get_by_role("button", name="Demander un export")).to_be_visible()
