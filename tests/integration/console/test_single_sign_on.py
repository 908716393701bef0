"""Signing in by a provider of identities: the whole road, over TLS, and everybody who is turned back on it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import OctKey
from sqlalchemy import select, update

from chassis import clock
from chassis.auth import new_key_pair
from chassis.database import transaction
from chassis.embedded import Stack
from chassis.running import Running
from services.console import letting_in
from services.console.__main__ import create_user_command, let_in_command, unbind_command
from services.console.accounts import create_user, signed_in_by
from services.console.main import build
from services.console.pages.single_sign_on import ATTEMPT_COOKIE
from services.console.settings import ConsoleSettings
from services.console.single_sign_on.arriving import unbind
from services.console.single_sign_on.wiring import configured
from services.console.site import site
from services.console.tables import account, membership, session
from services.console.visits import SESSION_COOKIE, Console
from tests.integration.console.conftest import COMPANY, PASSWORD, TOKEN, Person
from tests.integration.console.oidc_server import (
    CLIENT,
    NATHALIE,
    SECRET,
    Identities,
    Someone,
    new_key,
    signed,
    unsigned,
)
from tests.integration.notify.conftest import made_certificate
from tests.serving import serving
from tests.waiting import comes_true

CONSOLE = "https://relance.example"
RIGHTS = """
make_people = {make}

[[right]]
group = "controllers"
companies = ["{company}"]
role = "user"

[[right]]
group = "heads"
companies = ["{company}"]
role = "admin"

[[right]]
group = "north"
companies = ["{company}"]
role = "reader"
portfolio = ["DUP"]
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_certificate(tmp_path_factory.mktemp("tls"))


@pytest_asyncio.fixture
async def identities(certificate: Path) -> AsyncIterator[Identities]:
    found = Identities(f"{CONSOLE}/sign-on/return")
    async with serving(found.app(), found.listener, ssl_certfile=certificate):
        yield found


@pytest.fixture
def knobs(identities: Identities, certificate: Path) -> dict[str, Any]:
    return {
        "console_url": CONSOLE,
        "secure_cookies": True,
        "oidc_issuer": identities.issuer,
        "oidc_name": "Delcourt ID",
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_ca_file": certificate,
        "oidc_networks": "127.0.0.1",
    }


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "token_key.pem"
    file.write_text(new_key_pair().private, encoding="utf-8")
    return file


def with_provider(console: Console, knobs: dict[str, Any], key_file: Path) -> Console:
    settings = ConsoleSettings(**console.settings.model_dump() | knobs)
    return replace(console, settings=settings, sign_on=configured(settings, key_file))


def browser_before(console: Console) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=site(console), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="https://relance.example")


@pytest.fixture
def signing_on(console: Console, knobs: dict[str, Any], key_file: Path) -> Console:
    return with_provider(console, knobs, key_file)


@pytest_asyncio.fixture
async def visitor(signing_on: Console) -> AsyncIterator[Person]:
    async with browser_before(signing_on) as http:
        yield Person(http)


async def sent(person: Person, path: str = "/sign-on?back=%2Fcompanies") -> str:
    answer = await person.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def came_back(person: Person, brought: dict[str, str]) -> httpx.Response:
    return await person.http.get("/sign-on/return", params=brought)


async def by_provider(person: Person, identities: Identities) -> httpx.Response:
    return await came_back(person, identities.consented(await sent(person)))


def assert_refused(answer: httpx.Response, code: str, status: int) -> None:
    assert (answer.status_code, SESSION_COOKIE in answer.headers.get("set-cookie", "")) == (status, False)
    assert f'<span class="code">{code}</span>' in answer.text


async def test_a_known_person_comes_in_and_goes_on_to_the_page_they_wanted(
    visitor: Person, identities: Identities
) -> None:
    page = (await visitor.get("/login?back=%2Fcompanies")).text
    assert "Se connecter avec Delcourt ID" in page
    assert 'href="/sign-on?back=%2Fcompanies"' in page or 'href="/sign-on?back=/companies"' in page
    answer = await by_provider(visitor, identities)
    assert (answer.status_code, answer.headers["location"]) == (303, "/companies")
    assert "Nathalie Ferrand" in (await visitor.get("/companies")).text
    assert (await visitor.get(f"/c/{COMPANY}/home")).status_code == 200


async def test_the_attempt_stays_in_a_cookie_that_scripts_cannot_read(visitor: Person) -> None:
    answer = await visitor.get("/sign-on")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(ATTEMPT_COOKIE)
    assert {"Secure", "HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/sign-on"} <= set(cookie.split("; "))


async def test_nobody_is_sent_on_to_another_site(visitor: Person, identities: Identities) -> None:
    brought = identities.consented(await sent(visitor, "/sign-on?back=https%3A%2F%2Fevil.example"))
    assert (await came_back(visitor, brought)).headers["location"] == "/"


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        ({"nonce": "of another attempt"}, "token_nonce"),
        ({"aud": "another"}, "token_audience"),
        ({"aud": [CLIENT, "another"]}, "token_party"),
        ({"azp": "another"}, "token_party"),
        ({"iss": "https://evil.example"}, "token_issuer"),
        ({"sub": None}, "token_claims"),
    ],
    ids=str,
)
async def test_a_token_that_says_something_wrong_opens_nothing(
    visitor: Person, identities: Identities, tamper: dict[str, Any], code: str
) -> None:
    identities.tamper = tamper
    assert_refused(await by_provider(visitor, identities), code, 400)


async def test_an_expired_token_opens_nothing(visitor: Person, identities: Identities) -> None:
    identities.tamper = {"exp": int((clock.now() - timedelta(seconds=61)).timestamp())}
    assert_refused(await by_provider(visitor, identities), "token_expired", 400)


async def test_a_token_that_ended_within_the_last_minute_is_a_clock_that_differs(
    visitor: Person, identities: Identities
) -> None:
    identities.tamper = {"exp": int((clock.now() - timedelta(seconds=30)).timestamp())}
    assert (await by_provider(visitor, identities)).status_code == 303


async def test_a_token_that_nobody_signed_opens_nothing(visitor: Person, identities: Identities) -> None:
    identities.signs = unsigned
    assert_refused(await by_provider(visitor, identities), "token_algorithm", 400)


async def test_a_token_signed_by_the_shared_secret_opens_nothing(visitor: Person, identities: Identities) -> None:
    secret = OctKey.import_key(SECRET * 3, {"kid": "first"})
    identities.signs = lambda claims: signed(claims, secret, "HS256")
    assert_refused(await by_provider(visitor, identities), "token_algorithm", 400)


async def test_a_token_signed_by_another_key_opens_nothing(visitor: Person, identities: Identities) -> None:
    other = new_key("first")
    identities.signs = lambda claims: signed(claims, other)
    assert_refused(await by_provider(visitor, identities), "token_signature", 400)


async def test_a_key_that_is_shown_nowhere_is_asked_for_once_and_opens_nothing(
    visitor: Person, identities: Identities
) -> None:
    stray = new_key("stray")
    identities.signs = lambda claims: signed(claims, stray)
    for _ in range(3):
        assert_refused(await by_provider(visitor, identities), "token_key_unknown", 400)
    assert identities.asked.count("/keys") == 1, "anybody can make up names of keys"


async def test_a_new_key_of_the_provider_is_fetched(
    signing_on: Console, visitor: Person, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await by_provider(visitor, identities)).status_code == 303
    assert signing_on.sign_on is not None
    keys = signing_on.sign_on.provider._keys
    now = keys._monotonic()
    monkeypatch.setattr(keys, "_monotonic", lambda: now + 31)
    identities.key = new_key("second")
    async with browser_before(signing_on) as http:
        assert (await by_provider(Person(http), identities)).status_code == 303
    assert identities.asked.count("/keys") == 2


async def test_a_key_that_nobody_here_understands_hides_no_other(visitor: Person, identities: Identities) -> None:
    """Providers show keys of a new kind beside those that they sign with."""
    identities.odd_keys = [
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "curve"},
        {"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "tiny"},
        {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "after"},
        {"kid": "of no kind"},
        "no key",
    ]
    assert (await by_provider(visitor, identities)).status_code == 303


async def test_a_provider_that_shows_no_key_is_said_to_be_away(visitor: Person, identities: Identities) -> None:
    identities.shown_keys = []
    assert_refused(await by_provider(visitor, identities), "provider_silent", 503)


async def test_a_state_that_came_back_once_comes_back_no_more(visitor: Person, identities: Identities) -> None:
    url = await sent(visitor)
    cookie = visitor.http.cookies[ATTEMPT_COOKIE]
    assert (await came_back(visitor, identities.consented(url))).status_code == 303
    visitor.http.cookies.clear()
    visitor.http.cookies.set(ATTEMPT_COOKIE, cookie)
    assert_refused(await came_back(visitor, identities.consented(url)), "attempt_spent", 400)


async def test_a_code_of_another_browser_opens_nothing(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    """Neither in one that began nothing, nor in one that began something of its own."""
    brought = identities.consented(await sent(visitor))
    async with browser_before(signing_on) as http:
        other = Person(http)
        assert_refused(await came_back(other, brought), "attempt_unknown", 400)
        await sent(other)
        assert_refused(await came_back(other, brought), "attempt_unknown", 400)
    assert identities.asked.count("/token") == 0


async def test_a_code_of_another_attempt_is_refused_by_the_provider(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    """PKCE: with its own state a stolen code is of no use either."""
    stolen = identities.consented(await sent(visitor))["code"]
    async with browser_before(signing_on) as http:
        other = Person(http)
        mine = identities.consented(await sent(other))
        assert_refused(await came_back(other, mine | {"code": stolen}), "code_refused", 400)


async def test_an_answer_of_another_provider_is_refused(visitor: Person, identities: Identities) -> None:
    for iss in ("https://evil.example", ""):
        brought = identities.consented(await sent(visitor)) | {"iss": iss}
        assert_refused(await came_back(visitor, brought), "answer_issuer", 400)


async def test_a_person_who_refuses_there_is_told_so_here(visitor: Person, identities: Identities) -> None:
    brought = identities.consented(await sent(visitor))
    refused = {"error": "access_denied", "state": brought["state"], "iss": identities.issuer}
    assert_refused(await came_back(visitor, refused), "provider_refused", 403)


async def test_an_attempt_of_ten_minutes_ago_is_over(
    visitor: Person, identities: Identities, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = identities.consented(await sent(visitor))
    later = clock.now() + timedelta(seconds=601)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert_refused(await came_back(visitor, brought), "attempt_over", 400)


async def test_an_unverified_address_opens_nobodys_account(visitor: Person, identities: Identities) -> None:
    identities.person = replace(NATHALIE, email_verified=False)
    assert_refused(await by_provider(visitor, identities), "address_unverified", 403)


async def test_an_unknown_person_is_told_so(visitor: Person, identities: Identities) -> None:
    identities.person = Someone(f"sub-{uuid4()}", "nobody@delcourt.example", "Nobody")
    answer = await by_provider(visitor, identities)
    assert_refused(answer, "person_unknown", 403)
    assert "Vous n’avez pas de compte ici." in answer.text


async def test_an_address_that_went_to_somebody_else_opens_nothing_until_an_operator_says_so(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    assert (await by_provider(visitor, identities)).status_code == 303
    identities.person = replace(NATHALIE, subject="sub-of-her-successor")
    async with browser_before(signing_on) as http:
        assert_refused(await by_provider(Person(http), identities), "person_other", 403)
    async with transaction(signing_on.engine) as tx:
        assert await unbind(tx, "nathalie@delcourt.example")
    async with browser_before(signing_on) as http:
        assert (await by_provider(Person(http), identities)).status_code == 303
    async with transaction(signing_on.engine) as tx:
        await unbind(tx, "nathalie@delcourt.example")


async def test_a_person_whose_address_changes_there_stays_who_they_are(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    assert (await by_provider(visitor, identities)).status_code == 303
    identities.person = replace(NATHALIE, email="n.dupont@delcourt.example")
    async with browser_before(signing_on) as http:
        person = Person(http)
        assert (await by_provider(person, identities)).status_code == 303
        assert "Nathalie Ferrand" in (await person.get("/companies")).text


async def test_what_the_token_leaves_out_the_provider_is_asked_for(
    visitor: Person, identities: Identities
) -> None:
    identities.hidden = ("email", "email_verified")
    assert (await by_provider(visitor, identities)).status_code == 303
    assert "/userinfo" in identities.asked


async def test_an_answer_about_somebody_else_is_not_taken(visitor: Person, identities: Identities) -> None:
    identities.hidden = ("email",)
    identities.told_of = {"sub": "sub-of-another"}
    assert_refused(await by_provider(visitor, identities), "token_claims", 400)


class Grouped:
    """A console whose operator wrote a file of rights for a company of this test's own."""

    def __init__(self, console: Console, knobs: dict[str, Any], key_file: Path, folder: Path) -> None:
        self.company = f"t{uuid4().hex[:12]}"
        self.file = folder / "rights.toml"
        self.write(make="true")
        self.console = with_provider(console, knobs | {"oidc_rights_file": self.file}, key_file)

    def write(self, make: str) -> None:
        self.file.write_text(RIGHTS.format(make=make, company=self.company), encoding="utf-8")

    async def tried(self, identities: Identities, someone: Someone) -> httpx.Response:
        identities.person = someone
        async with browser_before(self.console) as http:
            return await by_provider(Person(http), identities)

    async def held(self, address: str) -> dict[str, tuple[str, list[str] | None]]:
        """Role and portfolio per company."""
        async with transaction(self.console.engine) as tx:
            rows = await tx.execute(
                select(membership.c.company, membership.c.role, membership.c.portfolio)
                .join(account, account.c.account_id == membership.c.account_id)
                .where(account.c.email == address)
            )
            return {row.company: (row.role, row.portfolio) for row in rows}


@pytest.fixture
def grouped(console: Console, knobs: dict[str, Any], key_file: Path, tmp_path: Path) -> Grouped:
    return Grouped(console, knobs, key_file, tmp_path)


def newcomer(*groups: str) -> Someone:
    name = uuid4().hex[:10]
    return Someone(f"sub-{name}", f"{name}@delcourt.example", "Nina Ouvelle", groups)


async def test_a_newcomer_whom_a_group_gives_something_is_given_an_account(
    grouped: Grouped, identities: Identities
) -> None:
    nina = newcomer("controllers")
    assert (await grouped.tried(identities, nina)).status_code == 303
    assert await grouped.held(nina.email) == {grouped.company: ("user", None)}


async def test_a_newcomer_of_no_group_is_given_none(grouped: Grouped, identities: Identities) -> None:
    nina = newcomer("canteen")
    assert_refused(await grouped.tried(identities, nina), "person_unknown", 403)
    assert await grouped.held(nina.email) == {}


async def test_newcomers_are_given_none_unless_the_operator_says_so(
    grouped: Grouped, identities: Identities
) -> None:
    grouped.write(make="false")
    assert_refused(await grouped.tried(identities, newcomer("controllers")), "person_unknown", 403)


async def test_rights_follow_the_groups_at_every_sign_in(grouped: Grouped, identities: Identities) -> None:
    nina = newcomer("north")
    for groups, held in (
        (("north",), ("reader", ["DUP"])),
        (("north", "heads"), ("admin", ["DUP"])),
        (("controllers",), ("user", ["DUP"])),
    ):
        assert (await grouped.tried(identities, replace(nina, groups=groups))).status_code == 303
        assert await grouped.held(nina.email) == {grouped.company: held}


async def test_whoever_left_every_group_loses_what_they_gave_and_sessions_with_it(
    grouped: Grouped, identities: Identities
) -> None:
    nina = newcomer("controllers")
    identities.person = nina
    async with browser_before(grouped.console) as http:
        there = Person(http)
        assert (await by_provider(there, identities)).status_code == 303
        assert (await there.get(f"/c/{grouped.company}/home")).status_code == 200
        answer = await grouped.tried(identities, replace(nina, groups=()))
        assert_refused(answer, "person_without_rights", 403)
        assert await grouped.held(nina.email) == {}
        assert (await there.get(f"/c/{grouped.company}/home")).status_code == 404


async def test_groups_decide_in_their_companies_and_an_operator_in_others(
    grouped: Grouped, identities: Identities
) -> None:
    nina = newcomer("controllers")
    async with transaction(grouped.console.engine) as tx:
        await create_user(tx, nina.email, None, "Nina", {grouped.company: "admin", COMPANY: "reader"})
    assert (await grouped.tried(identities, nina)).status_code == 303
    assert await grouped.held(nina.email) == {grouped.company: ("user", None), COMPANY: ("reader", None)}


async def test_a_company_that_left_the_file_is_taken_from_whom_groups_gave_it(
    grouped: Grouped, identities: Identities
) -> None:
    nina = newcomer("controllers")
    assert (await grouped.tried(identities, nina)).status_code == 303
    grouped.file.write_text("make_people = true\n", encoding="utf-8")
    assert_refused(await grouped.tried(identities, nina), "person_without_rights", 403)


async def test_what_an_operator_gives_after_a_group_did_is_the_operators(
    grouped: Grouped, identities: Identities
) -> None:
    nina = newcomer("controllers")
    assert (await grouped.tried(identities, nina)).status_code == 303
    async with transaction(grouped.console.engine) as tx:
        await create_user(tx, nina.email, None, "Nina", {grouped.company: "reader"})
    grouped.file.write_text("make_people = true\n", encoding="utf-8")
    assert (await grouped.tried(identities, nina)).status_code == 303
    assert await grouped.held(nina.email) == {grouped.company: ("reader", None)}


async def test_with_a_file_that_cannot_be_read_nobody_comes_in_and_nobody_loses_anything(
    grouped: Grouped, identities: Identities
) -> None:
    nina = newcomer("controllers")
    assert (await grouped.tried(identities, nina)).status_code == 303
    grouped.file.write_text("[[right]", encoding="utf-8")
    assert_refused(await grouped.tried(identities, nina), "rights_unreadable", 503)
    assert await grouped.held(nina.email) == {grouped.company: ("user", None)}
    assert grouped.console.sign_on is not None
    assert "rights_unreadable" in str(await grouped.console.sign_on.trouble())


async def test_a_closed_account_stays_closed(grouped: Grouped, identities: Identities) -> None:
    nina = newcomer("controllers")
    assert (await grouped.tried(identities, nina)).status_code == 303
    async with transaction(grouped.console.engine) as tx:
        await tx.execute(update(account).where(account.c.email == nina.email).values(closed_at=clock.now()))
    assert_refused(await grouped.tried(identities, nina), "person_closed", 403)


async def test_while_the_provider_is_away_sessions_go_on_and_nobody_else_comes_in(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    assert (await by_provider(visitor, identities)).status_code == 303
    identities.down = True
    assert (await visitor.get(f"/c/{COMPANY}/home")).status_code == 200
    assert signing_on.sign_on is not None
    assert "nobody can sign in by Delcourt ID" in str(await signing_on.sign_on.trouble())
    async with browser_before(signing_on) as http:
        # what it said before still leads there; the code finds nobody
        assert_refused(await by_provider(Person(http), identities), "provider_silent", 503)
    identities.down = False
    assert await signing_on.sign_on.trouble() is None


async def test_a_provider_that_was_never_heard_is_said_to_be_away(visitor: Person, identities: Identities) -> None:
    identities.down = True
    for _ in range(3):
        assert_refused(await visitor.get("/sign-on"), "provider_silent", 503)
    assert len(identities.asked) == 1, "whoever waits for it would keep the others waiting"


async def test_a_provider_inside_is_asked_only_where_the_operator_allows_it(
    console: Console, knobs: dict[str, Any], key_file: Path, identities: Identities
) -> None:
    async with browser_before(with_provider(console, knobs | {"oidc_networks": ""}, key_file)) as http:
        assert_refused(await http.get("/sign-on"), "provider_unfit", 503)
    assert identities.asked == []


async def test_a_provider_for_whom_nobody_vouches_is_not_believed(
    console: Console, knobs: dict[str, Any], key_file: Path, identities: Identities
) -> None:
    async with browser_before(with_provider(console, knobs | {"oidc_ca_file": None}, key_file)) as http:
        assert_refused(await http.get("/sign-on"), "provider_silent", 503)
    assert identities.asked == []


async def test_a_wrong_secret_is_for_the_operator(
    console: Console, knobs: dict[str, Any], key_file: Path, identities: Identities
) -> None:
    wrong = with_provider(console, knobs | {"oidc_client_secret": "old"}, key_file)
    async with browser_before(wrong) as http:
        assert_refused(await by_provider(Person(http), identities), "client_refused", 503)


async def test_who_comes_too_often_waits(
    console: Console, knobs: dict[str, Any], key_file: Path, identities: Identities
) -> None:
    async with browser_before(with_provider(console, knobs | {"oidc_requests_per_host": 2}, key_file)) as http:
        for _ in range(2):
            assert (await http.get("/sign-on")).status_code == 303
        assert_refused(await http.get("/sign-on"), "too_often", 429)


async def test_a_session_by_the_provider_ends_sooner(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    """So that whoever left there is out here within half a day."""
    await by_provider(visitor, identities)
    cookie = visitor.http.cookies[SESSION_COOKIE]
    for hours, opens in ((11, True), (13, False)):
        async with transaction(signing_on.engine) as tx:
            found = await signed_in_by(tx, cookie, signing_on.settings)
            if found:
                opened = clock.now() - timedelta(hours=hours)
                await tx.execute(
                    update(session).where(session.c.account_id == found.account_id).values(opened_at=opened)
                )
            assert bool(await signed_in_by(tx, cookie, signing_on.settings)) is opens


async def test_who_signs_out_here_signs_out_there(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    await by_provider(visitor, identities)
    answer = await visitor.post("/logout", on="/companies")
    assert "Vous êtes déconnecté" in answer.text
    address = answer.headers["refresh"].removeprefix("0; url=")
    assert address.startswith(f"{identities.issuer}/logout?")
    asked = parse_qs(urlsplit(address).query)
    assert asked["post_logout_redirect_uri"] == [f"{CONSOLE}/login"]
    assert asked["id_token_hint"][0].count(".") == 2
    assert (await visitor.get(f"/c/{COMPANY}/home")).status_code == 303


async def test_a_token_that_no_header_holds_does_not_go_along(visitor: Person, identities: Identities) -> None:
    """With hundreds of groups; the answer would be lost in a proxy on its way."""
    identities.tamper = {"groups": [f"group-{number}" for number in range(400)]}
    assert (await by_provider(visitor, identities)).status_code == 303
    address = (await visitor.post("/logout", on="/companies")).headers["refresh"]
    assert "id_token_hint" not in address
    assert f"client_id={CLIENT}" in address


async def test_the_token_that_a_session_was_opened_by_is_kept_sealed(
    signing_on: Console, visitor: Person, identities: Identities
) -> None:
    await by_provider(visitor, identities)
    async with transaction(signing_on.engine) as tx:
        kept = list(await tx.scalars(select(session.c.id_token).where(session.c.id_token.is_not(None))))
    assert kept
    assert not any(b"eyJ" in bytes(one) for one in kept)


async def test_who_came_by_password_signs_out_here_alone(visitor: Person) -> None:
    await visitor.sign_in("nathalie@delcourt.example")
    answer = await visitor.post("/logout", on="/companies")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_where_passwords_are_off_none_opens_anything(
    console: Console, knobs: dict[str, Any], key_file: Path
) -> None:
    async with browser_before(with_provider(console, knobs | {"password_sign_in": False}, key_file)) as http:
        person = Person(http)
        page = (await person.get("/login")).text
        assert 'type="password"' not in page
        assert "Se connecter avec Delcourt ID" in page
        token = TOKEN.search(page)
        assert token is not None
        form = {"csrf_token": token[1], "email": "nathalie@delcourt.example", "password": PASSWORD}
        answer = await http.post("/login", data=form)
        assert (answer.status_code, SESSION_COOKIE in answer.headers.get("set-cookie", "")) == (403, False)


async def test_where_passwords_are_switched_off_sessions_by_password_end(
    console: Console, knobs: dict[str, Any], key_file: Path, visitor: Person
) -> None:
    await visitor.sign_in("nathalie@delcourt.example")
    assert (await visitor.get("/companies")).status_code == 200
    off = with_provider(console, knobs | {"password_sign_in": False}, key_file)
    async with browser_before(off) as http:
        http.cookies = visitor.http.cookies
        answer = await Person(http).get("/companies")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?back=%2Fcompanies")


async def test_an_operators_link_lets_one_in_once_whatever_else_does_not(
    console: Console, knobs: dict[str, Any], key_file: Path, identities: Identities
) -> None:
    identities.down = True
    alone = with_provider(console, knobs | {"password_sign_in": False}, key_file)
    async with transaction(alone.engine) as tx:
        link = await letting_in.link_for(tx, " Nathalie@delcourt.example")
    path = f"/let-in?token={link.token}"
    async with browser_before(alone) as http:
        person = Person(http)
        assert "Nathalie Ferrand" in (await person.get(path)).text
        assert "Nathalie Ferrand" in (await person.get(path)).text, "looking at it does not use it up"
        assert (await person.post("/let-in", on=path, token=link.token)).headers["location"] == "/"
        assert (await person.get(f"/c/{COMPANY}/home")).status_code == 200
    async with browser_before(alone) as http:
        other = Person(http)
        answer = await other.post("/let-in", on="/login", token=link.token)
        assert (answer.status_code, SESSION_COOKIE in answer.headers.get("set-cookie", "")) == (404, False)
        assert (await other.get(path)).status_code == 404


async def test_a_link_for_nobody_is_refused(console: Console) -> None:
    async with transaction(console.engine) as tx:
        with pytest.raises(letting_in.AccountUnknown, match="--without-password"):
            await letting_in.link_for(tx, "nobody@delcourt.example")


@pytest.mark.parametrize(
    ("name", "ask"), [("leaving", "Demander un export</button>"), ("api-keys", "Faire la clé</button>")]
)
async def test_before_an_export_or_a_key_who_came_by_the_provider_goes_there_once_more(
    visitor: Person, identities: Identities, name: str, ask: str
) -> None:
    """There is no password to ask for; what was shown hours ago is not enough."""
    await by_provider(visitor, identities)
    page = f"/c/{COMPANY}/{name}"
    assert ask not in (await visitor.get(page)).text
    wish = {"name": "crm", "scope": "read:clients"} if name == "api-keys" else {}
    assert (await visitor.post(page, on=page, password=PASSWORD, **wish)).status_code == 422
    brought = identities.consented(await sent(visitor, f"/sign-on/again?back={page}"))
    assert (await came_back(visitor, brought)).headers["location"] == page
    assert ask in (await visitor.get(page)).text


async def test_what_was_shown_once_more_counts_only_if_it_was_now_and_by_the_same_person(
    visitor: Person, identities: Identities
) -> None:
    await by_provider(visitor, identities)
    again = f"/sign-on/again?back=/c/{COMPANY}/leaving"
    identities.tamper = {"auth_time": int((clock.now() - timedelta(minutes=5)).timestamp())}
    brought = identities.consented(await sent(visitor, again))
    assert_refused(await came_back(visitor, brought), "not_shown_again", 403)
    identities.tamper = {}
    identities.person = Someone("sub-of-luc", "lecteur@delcourt.example", "Luc Teur")
    brought = identities.consented(await sent(visitor, again))
    assert_refused(await came_back(visitor, brought), "another_person", 403)


async def test_without_a_provider_there_is_no_such_page(person: Person) -> None:
    assert (await person.get("/sign-on")).status_code == 404
    assert (await person.get("/sign-on/return")).status_code == 404
    assert "Se connecter avec" not in (await person.get("/login")).text


def test_an_operator_makes_an_account_without_password_lets_it_in_and_unbinds_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RELANCE_DATABASE_URL", stack.database_url("console", "worker"))
    monkeypatch.setenv("RELANCE_CONSOLE_URL", f"{CONSOLE}/")
    address = f"{uuid4().hex[:10]}@delcourt.example"
    assert let_in_command(["--email", address]) == 1
    assert "create-user --without-password" in capsys.readouterr().err
    assert create_user_command(["--email", address, "--company", COMPANY, "--without-password"]) == 0
    assert let_in_command(["--email", address]) == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"{CONSOLE}/let-in?token=")
    assert address not in told.err
    assert unbind_command(["--email", address]) == 1
    assert "bound to nobody" in capsys.readouterr().err


async def test_the_console_looks_at_its_provider_and_at_none_where_there_is_none(
    stack: Stack, knobs: dict[str, Any], key_file: Path, identities: Identities
) -> None:
    """So that operators hear of a provider that is away before people do."""
    assert "single-sign-on" not in build(ConsoleSettings(token_private_key_file=key_file)).background
    url = stack.database_url("console", "worker")
    service = build(ConsoleSettings(**knobs, token_private_key_file=key_file, database_url=url))
    running = Running(service)
    look = service.background["single-sign-on"]
    identities.down = True
    looking = asyncio.create_task(look(running))
    await comes_true(lambda: looking.done() or bool(running.health.hindered_by()), "its silence is told")
    assert "nobody can sign in by Delcourt ID" in running.health.hindered_by()["single sign-on"]
    looking.cancel()
    identities.down = False
    again = asyncio.create_task(look(running))
    await comes_true(lambda: again.done() or not running.health.hindered_by(), "its answer is told")
    assert not again.done(), "it goes on looking"
    again.cancel()
    await running.stop()
