"""A mailbox without a password: a person or an application lets Relance sign in by tokens (OAuth 2, ADR 57).

The provider and both mail servers are real ones of this process; they stand for Microsoft's and Google's.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.auth import mint, read_key
from chassis.database import transaction
from chassis.embedded import Stack
from services.notify.oauth import keeping
from services.notify.oauth.endpoint import Unauthorized
from services.notify.oauth.keeping import Keeper
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import (
    PATIENCE_SECONDS,
    House,
    MailServer,
    People,
    Voices,
    action,
    living,
    synced,
    until,
)
from tests.integration.notify.imap_server import PASSWORD, USER, mailbox
from tests.integration.notify.oauth_server import SECRET, Authority, TokenMail, TokensOnly, authority, token_mail
from tests.integration.notify.test_cash_report import send as report
from tests.integration.notify.test_mailboxes import dead
from tests.integration.notify.test_what_comes_back import sent, until_trouble
from tests.specs.notify.given_application import of_application

CONSOLE = "https://relance.delcourt.example"
SESSION = "the-session-of-alice-here"


@pytest.fixture
def settings(settings: NotifySettings, certificate: Path) -> NotifySettings:
    knows = {"smtp_ca_file": certificate, "sealing_key": "a key", "console_url": CONSOLE, "retry_seconds": 0.2}
    return settings.model_copy(update=knows | {"reports_pause_seconds": 0.2, "imap_timeout_seconds": 8})


@pytest_asyncio.fixture
async def house(
    settings: NotifySettings, stack: Stack, voices: Voices, people: People, mails: MailServer
) -> AsyncIterator[House]:
    async with living(settings, stack, voices, people, mails) as house:
        yield house
        async with transaction(house.process.engine) as tx:
            for table in ("mail_server", "mailbox_account", "mail_authorization"):  # others' would tend them
                await tx.execute(text(f"delete from {table}"))


@pytest_asyncio.fixture
async def provider(certificate: Path) -> AsyncIterator[Authority]:
    async with authority(certificate, f"{CONSOLE}/mail-consent") as found:
        yield found


@pytest_asyncio.fixture
async def mail(certificate: Path, provider: Authority) -> AsyncIterator[TokenMail]:
    async with token_mail(certificate, provider, USER) as found:
        yield found


async def put(house: House, company: str, path: str, body: dict[str, Any]) -> Any:
    answer = await house.call(company, "PUT", path, json=body)
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    return answer.json()


async def refused(house: House, company: str, method: str, path: str, **options: Any) -> tuple[int, str]:
    answer = await house.call(company, method, path, **options)
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


async def begun(house: House, company: str, provider: Authority) -> dict[str, str]:
    """What the person brings back from the provider."""
    asked = await house.call(
        company, "POST", "/mail-authorization/begin", json={"session": SESSION, "mailbox": USER}
    )
    assert asked.status_code == 200, asked.text
    return provider.consented(asked.json()["url"]) | {"session": SESSION}


async def connect(house: House, company: str, provider: Authority) -> Any:
    brought = await begun(house, company, provider)
    answer = await house.call(company, "POST", "/mail-authorization/finish", json=brought)
    assert answer.status_code == 200, answer.text
    return answer.json()


def server(mail: TokenMail, **other: Any) -> dict[str, Any]:
    named = {"host": "127.0.0.1", "port": mail.port, "encryption": "starttls", "username": USER}
    return named | {"sign_in": "oauth", "connections": 1} | other


async def use(house: House, company: str, mail: TokenMail) -> None:
    """Once the mails that become due leave by it; those of the moment before may leave by the installation's."""
    await put(house, company, "/mail-server", server(mail))
    await until(lambda: any(task.get_name() == f"mail server of {company}" for task in asyncio.all_tasks()))


async def send_by_token(house: House, company: str, provider: Authority, mail: TokenMail) -> None:
    await put(house, company, "/mail-authorization", provider.wanted())
    assert (await connect(house, company, provider))["connected"] is True
    await use(house, company, mail)


async def due(house: House, company: str, first: int, last: int) -> None:
    lines = [synced(f"F{n}", f"C{n}", "10") for n in range(first, last)]
    await house.voices.book(company, lines)
    await house.voices.due(company, *(action(company, line.client_id, [line]) for line in lines))


async def until_authorization(house: House, company: str, trouble: str | None) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            saved: dict[str, Any] = (await house.get(company, "/mail-authorization"))["saved"]
            if saved["trouble"] == trouble:
                return saved
            await asyncio.sleep(0.05)


async def test_a_person_consents_and_a_token_ends_in_the_middle_of_a_sending(
    house: House, company: str, provider: Authority, mail: TokenMail
) -> None:
    mail.ends_after = 3
    await send_by_token(house, company, provider, mail)
    saved = (await house.get(company, "/mail-authorization"))["saved"]
    assert (saved["connected"], saved["consented_by"], saved["trouble"]) == (True, "user:alice", None)
    async with transaction(house.process.engine) as tx:
        rows = (await tx.execute(text("select secret, refresh_token, pending from mail_authorization"))).one()
    assert rows.pending is None
    assert SECRET.encode() not in bytes(rows.secret)
    assert not any(one.encode() in bytes(rows.refresh_token) for one in provider.refresh)

    tried = await house.call(company, "POST", "/mail-server/test", json={"to": "moi@delcourt.example"})
    assert tried.json() == {"ok": True, "step": "message", "words": "250 Kept"}
    await due(house, company, 0, 6)
    await house.until_said(company, "EmailSent", 6)
    assert sorted(mail.received[1:]) == [f"c{n}@{company}.example" for n in range(6)]
    assert provider.used.isdisjoint(provider.refresh)
    assert mail.received[0] == "moi@delcourt.example"
    assert await house.said(company, "EmailFailed") == await house.said(company, "EmailInDoubt") == []


async def test_a_consent_taken_back_pauses_the_lane_until_it_is_renewed(
    house: House, company: str, provider: Authority, mail: TokenMail
) -> None:
    await send_by_token(house, company, provider, mail)
    await due(house, company, 0, 2)
    await house.until_said(company, "EmailSent", 2)

    provider.take_back()
    await due(house, company, 2, 6)
    saved = await until_authorization(house, company, "authorization_ended")
    assert saved["trouble_since"] is not None
    part = f"mail server of {company}"
    await until(lambda: "has to be renewed" in house.process.health.hindered_by().get(part, ""))
    told = (await house.get(company, "/mailboxes"))["authorization"]
    assert told["trouble"] == "authorization_ended"
    refusals = provider.asked.count("refresh_token")
    await asyncio.sleep(1)
    assert provider.asked.count("refresh_token") == refusals, "what was refused is not asked for again and again"
    assert len(mail.received) == 2

    assert (await connect(house, company, provider))["connected"] is True
    await house.until_said(company, "EmailSent", 6)
    assert sorted(mail.received) == [f"c{n}@{company}.example" for n in range(6)]
    assert (await house.get(company, "/mailboxes"))["authorization"] is None
    assert part not in house.process.health.hindered_by()


async def test_connections_end_with_the_consent_they_were_signed_in_by(
    house: House, company: str, provider: Authority, mail: TokenMail
) -> None:
    """The server's own patience is longer: it goes on taking what comes over a connection that it let in once."""
    await send_by_token(house, company, provider, mail)
    await due(house, company, 0, 1)
    await house.until_said(company, "EmailSent")
    assert len(mail.open) == 1, "it is kept for the next message"

    await house.call(company, "POST", "/mail-authorization/revoke")
    await until(lambda: not mail.open)
    await due(house, company, 1, 2)
    part = f"mail server of {company}"
    await until(lambda: "not connected yet" in house.process.health.hindered_by().get(part, ""))
    assert len(mail.received) == 1

    assert (await connect(house, company, provider))["connected"] is True
    await house.until_said(company, "EmailSent", 2)
    assert len(mail.open) == 1


async def test_connections_end_with_a_consent_that_was_taken_back_at_the_provider(
    house: House, company: str, provider: Authority, mail: TokenMail, settings: NotifySettings
) -> None:
    """Whichever process finds it out; the token that another has in memory would be taken for an hour more."""
    await send_by_token(house, company, provider, mail)
    await due(house, company, 0, 1)
    await house.until_said(company, "EmailSent")
    provider.refresh.clear()
    await Keeper(house.process.engine, settings).look_after()
    await until(lambda: not mail.open)
    await due(house, company, 1, 2)
    part = f"mail server of {company}"
    await until(lambda: "has to be renewed" in house.process.health.hindered_by().get(part, ""))
    assert (len(mail.received), mail.open) == (1, set())


async def test_a_mailbox_is_read_by_token_and_tells_when_the_consent_has_ended(
    house: House, company: str, provider: Authority, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "NOT_TAKEN_SECONDS", 0.0)  # two tokens end within a minute
    by_token = TokensOnly(provider, PASSWORD)
    (message_id,) = await sent(house, company, "DEAD")
    await put(house, company, "/mail-authorization", provider.wanted())
    assert (await connect(house, company, provider))["connected"] is True
    async with mailbox(certificate, by_token) as box:
        account = {"host": "127.0.0.1", "port": box.ports["tls"], "username": USER, "sign_in": "oauth"}
        tried = await house.call(company, "POST", "/mailbox/test", json={"mailbox": account})
        assert tried.json()["ok"] is True, tried.text
        await put(house, company, "/mailbox", account)
        await until_trouble(house, company, None)
        provider.end_tokens()
        await box.arrives(dead(company, message_id))
        await house.until_said(company, "EmailBounced")
        assert by_token.refused == 1, "the token that ended was changed for another"
        provider.take_back()
        await until_trouble(house, company, "authorization_ended")
        assert (await connect(house, company, provider))["connected"] is True
        await until_trouble(house, company, None)


async def test_only_the_session_that_asked_brings_a_consent_back_and_once(
    house: House, company: str, provider: Authority
) -> None:
    path = "/mail-authorization/finish"
    await put(house, company, "/mail-authorization", provider.wanted())
    await put(house, f"{company}x", "/mail-authorization", provider.wanted())
    brought = await begun(house, company, provider)
    other = brought | {"session": "the-session-of-somebody-else"}
    assert await refused(house, company, "POST", path, json=other) == (403, "consent-forged")
    token = mint(read_key(house.stack.private_key_file), "user:bob", [company], "admin")
    bob = {"Authorization": f"Bearer {token}"}
    assert await refused(house, company, "POST", path, json=brought, headers=bob) == (403, "consent-forged")
    assert await refused(house, f"{company}x", "POST", path, json=brought) == (403, "consent-forged")
    changed = brought | {"state": brought["state"][:-3] + "AAA"}
    assert await refused(house, company, "POST", path, json=changed) == (403, "consent-forged")
    again = await begun(house, company, provider)
    assert await refused(house, company, "POST", path, json=brought) == (410, "consent-over")
    wrong = await house.call(company, "POST", path, json=again | {"code": "guessed"})
    assert wrong.json()["code"] == "authorization_ended"
    assert await refused(house, company, "POST", path, json=again) == (410, "consent-over")

    provider.grants = "openid"
    assert (await connect(house, company, provider))["code"] == "scope_missing"
    provider.grants, provider.gives_refresh = "https://mail.example/", False
    assert (await connect(house, company, provider))["code"] == "refresh_token_missing"
    assert (await house.get(company, "/mail-authorization"))["saved"]["connected"] is False


async def test_tokens_are_shown_to_their_own_servers_alone(
    house: House, company: str, provider: Authority, mail: TokenMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = server(mail)
    assert await refused(house, company, "PUT", "/mail-server", json=named) == (409, "authorization-unknown")
    await put(house, company, "/mail-authorization", provider.wanted())
    await connect(house, company, provider)
    for other, why in (
        ({"host": "localhost"}, "host-not-authorized"),
        ({"encryption": "none"}, "oauth-needs-tls"),
        ({"username": ""}, "username-needed"),
    ):
        assert await refused(house, company, "PUT", "/mail-server", json=named | other) == (422, why)
        trial = {"server": named | other}
        assert await refused(house, company, "POST", "/mail-server/test", json=trial) == (422, why)
    box = {"host": "localhost", "port": 993, "username": USER, "sign_in": "oauth"}
    assert await refused(house, company, "PUT", "/mailbox", json=box) == (422, "host-not-authorized")

    kept = provider.wanted()
    del kept["secret"]
    assert (await put(house, company, "/mail-authorization", kept))["saved"]["connected"] is True
    for other in ({"hosts": ["127.0.0.1", "evil.example"]}, {"token_url": f"{provider.url}/other"}):
        await put(house, company, "/mail-authorization", provider.wanted())
        await connect(house, company, provider)
        moved = (await put(house, company, "/mail-authorization", kept | other))["saved"]
        assert (moved["connected"], moved["has_secret"]) == (False, False)
    plain = provider.wanted(token_url="http://127.0.0.1/token")
    assert (await house.call(company, "PUT", "/mail-authorization", json=plain)).status_code == 422
    monkeypatch.setattr(house.process.settings, "mail_networks", "")
    wanted = provider.wanted()
    assert await refused(house, company, "PUT", "/mail-authorization", json=wanted) == (422, "host-inside")


async def test_revoked_it_is_forgotten_here_and_there(
    house: House, company: str, provider: Authority, mail: TokenMail
) -> None:
    await send_by_token(house, company, provider, mail)
    assert await refused(house, company, "DELETE", "/mail-authorization") == (409, "authorization-in-use")
    answer = await house.call(company, "POST", "/mail-authorization/revoke")
    assert answer.json() == {"revoked": True, "at_provider": True}
    assert provider.refresh == set()
    saved = (await house.get(company, "/mail-authorization"))["saved"]
    assert (saved["connected"], saved["consented_by"]) == (False, None)
    tried = await house.call(company, "POST", "/mail-authorization/test", json={})
    assert tried.json()["code"] == "authorization_missing"
    assert (await house.call(company, "DELETE", "/mail-server")).status_code == 200
    assert (await house.call(company, "DELETE", "/mail-authorization")).status_code == 200
    headers = house.token(company, role="user")
    assert (await house.call(company, "GET", "/mail-authorization", headers=headers)).status_code == 403


async def test_an_application_signs_in_for_itself_by_secret_or_certificate(
    house: House, company: str, provider: Authority, mail: TokenMail
) -> None:
    itself = provider.wanted(way="application", authorize_url="")
    nothing = {name: value for name, value in itself.items() if name != "secret"}
    assert await refused(house, company, "PUT", "/mail-authorization", json=nothing) == (
        422,
        "oauth-secret-needed",
    )
    await put(house, company, "/mail-authorization", itself | {"secret": "ended"})
    tried = (await house.call(company, "POST", "/mail-authorization/test", json={})).json()
    assert (tried["code"], tried["words"]) == ("client_refused", "invalid_client the secret has ended")

    pem, provider.public_key = of_application()
    unfit = nothing | {"certificate": pem.partition("-----BEGIN CERT")[0]}
    assert await refused(house, company, "PUT", "/mail-authorization", json=unfit) == (422, "certificate-unfit")
    await put(house, company, "/mail-authorization", nothing | {"certificate": pem})
    await use(house, company, mail)
    await due(house, company, 0, 1)
    await house.until_said(company, "EmailSent")
    assert mail.received == [f"c0@{company}.example"]
    assert set(provider.asked) == {"client_credentials"}
    provider.down = True
    tried = (await house.call(company, "POST", "/mail-authorization/test", json={})).json()
    assert tried["code"] == "authorization_silent"
    assert (await house.get(company, "/mail-authorization"))["saved"]["trouble"] is None


async def test_of_two_processes_one_at_a_time_renews(
    house: House, company: str, provider: Authority, settings: NotifySettings
) -> None:
    """A refresh token that is shown twice is taken for stolen, and ends the consent."""
    await put(house, company, "/mail-authorization", provider.wanted())
    await connect(house, company, provider)
    keepers = [Keeper(house.process.engine, settings) for _ in range(3)]
    asked = [keeper.token(company, "127.0.0.1") for keeper in keepers for _ in range(2)]
    tokens = await asyncio.gather(*asked)
    assert len(set(tokens)) == 3
    assert provider.asked.count("refresh_token") == 3
    assert len(provider.refresh) == 1


async def test_a_process_has_one_token_whoever_shows_it(
    house: House, company: str, provider: Authority, mail: TokenMail
) -> None:
    """Each renewal may end the token before it, and holds a connection to PostgreSQL meanwhile."""
    await send_by_token(house, company, provider, mail)
    await due(house, company, 0, 1)
    await house.until_said(company, "EmailSent")
    asked = len(provider.asked)
    for _ in range(2):
        assert (await report(house, company, to="anne@delcourt.example")).json()["state"] == "sent"
    assert provider.asked[asked:] == []
    assert (await house.call(company, "POST", "/mail-authorization/test", json={})).json()["ok"] is True
    assert provider.asked[asked:] == ["refresh_token"], "a trial asks the provider, whatever it said before"


async def test_a_trial_while_the_provider_is_away_takes_no_good_token(
    house: House, company: str, provider: Authority, settings: NotifySettings
) -> None:
    """Messages leave by it for as long as it is good: whoever looks what is wrong must not stop them."""
    await put(house, company, "/mail-authorization", provider.wanted())
    await connect(house, company, provider)
    keeper = Keeper(house.process.engine, settings)
    token = await keeper.token(company, "127.0.0.1")
    provider.down = True
    with pytest.raises(Unauthorized, match="does not answer"):
        await keeper.token(company, "127.0.0.1", anew=True)
    assert await keeper.token(company, "127.0.0.1") == token
    provider.down = False
    assert await keeper.token(company, "127.0.0.1", anew=True) != token
    provider.take_back()
    with pytest.raises(Unauthorized, match="has to be renewed"):
        await keeper.token(company, "127.0.0.1", anew=True)
    with pytest.raises(Unauthorized, match="has to be renewed"):
        await keeper.token(company, "127.0.0.1")


async def test_no_token_outlives_the_authorization_that_brought_it(
    house: House, company: str, provider: Authority, settings: NotifySettings
) -> None:
    """Forgotten and set anew, it may be of another mailbox: what was entrusted goes to no other server."""
    itself = provider.wanted(way="application")
    await put(house, company, "/mail-authorization", itself)
    keeper = Keeper(house.process.engine, settings)
    token = await keeper.token(company, "127.0.0.1")
    assert (await house.call(company, "DELETE", "/mail-authorization")).status_code == 200
    await put(house, company, "/mail-authorization", itself | {"hosts": ["localhost"]})
    assert await keeper.token(company, "localhost") != token


async def test_a_token_is_renewed_before_its_end(
    house: House, company: str, provider: Authority, settings: NotifySettings
) -> None:
    now = [0.0]
    await put(house, company, "/mail-authorization", provider.wanted())
    await connect(house, company, provider)
    keeper = Keeper(house.process.engine, settings, lambda: now[0])
    first = await keeper.token(company, "127.0.0.1")
    for now[0], same in ((3299.0, True), (3301.0, False)):
        assert ((await keeper.token(company, "127.0.0.1")) == first) is same


async def test_looking_after_authorizations_passes_over_one_that_cannot_be_read_and_companies_at_rest(
    house: House, company: str, provider: Authority, mail: TokenMail, settings: NotifySettings
) -> None:
    used = [f"{company}{n}" for n in "abc"]
    for one in used:
        await put(house, one, "/mail-authorization", provider.wanted())
        await connect(house, one, provider)
        await put(house, one, "/mail-server", server(mail))
    async with transaction(house.process.engine) as tx:
        strange = "update mail_authorization set provider = 'microsoft', way = 'other' where company = :company"
        await tx.execute(text(strange), {"company": used[0]})
        held = "insert into company_hold (company, held_by, until) values (:company, 'user:alice', '2027-01-01')"
        await tx.execute(text(held), {"company": used[1]})
    asked = len(provider.asked)
    await Keeper(house.process.engine, settings).look_after()
    assert provider.asked[asked:] == ["refresh_token"]
    async with transaction(house.process.engine) as tx:
        await tx.execute(text("delete from company_hold where company = :company"), {"company": used[1]})
