"""What a provider is asked, what a state proves, and how a token is shown (ADR 57)."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.sealing import Seal
from services.notify.mailer import MailServerUnreachable, PutOff, SmtpConnection
from services.notify.messages import Mail
from services.notify.oauth import consent
from services.notify.oauth.assertion import CertificateUnfit, assertion, certified
from services.notify.oauth.endpoint import Application, Granted, TokenEndpoint, Unauthorized, _granted
from services.notify.oauth.keeping import Keeper, application
from services.notify.oauth.providers import provider_of
from services.notify.servers import Tokens, of_installation
from services.notify.settings import NotifySettings
from tests.specs.notify.given_application import of_application

SEAL = Seal("a key")
ALICE = consent.Whose("delcourt", "user:alice", "session of alice")
BACK = "https://relance.example/mail-consent"
MICROSOFT = {"provider": "microsoft", "way": "consent", "tenant": "delcourt.example"}
MAIL = Mail("<1@a.example>", "us@a.example", ("you@b.example",), "Rappel", b"Subject: Rappel\r\n\r\nBonjour\r\n")
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def asked(**provider: str) -> tuple[dict[str, str], consent.Asked]:
    known = provider_of(MICROSOFT | provider)
    done = consent.ask(SEAL, ALICE, known, "app", BACK, "relances@delcourt.example")
    query = {name: values[0] for name, values in parse_qs(urlsplit(done.url).query).items()}
    return query, done


def test_a_person_consents_at_microsofts_with_both_rights_and_leave_to_go_on() -> None:
    query, done = asked()
    assert done.url.startswith("https://login.microsoftonline.com/delcourt.example/oauth2/v2.0/authorize?")
    assert query["scope"].split() == [
        "https://outlook.office.com/SMTP.Send",
        "https://outlook.office.com/IMAP.AccessAsUser.All",
        "offline_access",
    ]
    assert (query["redirect_uri"], query["login_hint"]) == (BACK, "relances@delcourt.example")
    assert query["code_challenge_method"] == "S256"
    assert "verifier" not in done.url


def test_google_is_asked_for_a_refresh_token_every_time() -> None:
    query, _ = asked(provider="google")
    assert (query["access_type"], query["prompt"], query["scope"]) == (
        "offline",
        "consent",
        "https://mail.google.com/",
    )


def test_an_application_of_microsofts_asks_for_what_exchange_gave_it() -> None:
    known = provider_of(MICROSOFT | {"way": "application"})
    assert known.scope == "https://outlook.office365.com/.default"
    assert known.token_url == "https://login.microsoftonline.com/delcourt.example/oauth2/v2.0/token"
    assert known.hosts == ("smtp.office365.com", "outlook.office365.com")


def test_the_verifier_answers_the_challenge() -> None:
    query, done = asked()
    verifier = consent.verifier_of(SEAL, ALICE, query["state"], done.pending)
    assert consent.challenge(verifier) == query["code_challenge"]
    # RFC 7636, appendix B
    assert (
        consent.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.parametrize(
    "other",
    [{"company": "autre"}, {"person": "user:bob"}, {"session": "session of bob"}],
    ids=lambda one: next(iter(one)),
)
def test_a_state_is_one_company_persons_and_sessions(other: dict[str, str]) -> None:
    query, done = asked()
    with pytest.raises(consent.StateForged):
        consent.verifier_of(SEAL, replace(ALICE, **other), query["state"], done.pending)


def test_a_state_renamed_to_another_company_is_forged() -> None:
    query, done = asked()
    renamed = "autre." + query["state"].partition(".")[2]
    with pytest.raises(consent.StateForged):
        consent.verifier_of(SEAL, replace(ALICE, company="autre"), renamed, done.pending)
    with pytest.raises(consent.StateForged):
        consent.verifier_of(SEAL, ALICE, renamed, done.pending)


def test_a_state_is_good_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: AT)
    query, done = asked()
    monkeypatch.setattr(clock, "now", lambda: AT + timedelta(seconds=600))
    assert consent.verifier_of(SEAL, ALICE, query["state"], done.pending)
    monkeypatch.setattr(clock, "now", lambda: AT + timedelta(seconds=601))
    with pytest.raises(consent.StateOver):
        consent.verifier_of(SEAL, ALICE, query["state"], done.pending)


def test_only_the_last_attempt_counts() -> None:
    first, _ = asked()
    _, second = asked()
    with pytest.raises(consent.StateOver):
        consent.verifier_of(SEAL, ALICE, first["state"], second.pending)
    with pytest.raises(consent.StateOver):
        consent.verifier_of(SEAL, ALICE, first["state"], None)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"access_token": 7},
        {"access_token": "a\x01b"},
        {"access_token": "a b"},
        {"access_token": "a", "refresh_token": "b\r\nc"},
        {"access_token": "a", "token_type": "mac"},
    ],
    ids=json.dumps,
)
def test_what_is_no_token_is_shown_to_nobody(told: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        _granted(told)


@pytest.mark.parametrize("life", ["soon", None, float("nan"), float("inf"), 10**400], ids=lambda one: str(one)[:4])
def test_a_life_that_makes_no_sense_is_an_hour(life: object) -> None:
    assert _granted({"access_token": "a", "expires_in": life}).seconds == 3600


async def test_an_answer_that_nobody_can_read_is_a_provider_that_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = TokenEndpoint(NotifySettings())

    async def nested(url: str, form: object) -> tuple[int, bytes]:
        return 200, b"[" * 90_000

    monkeypatch.setattr(endpoint, "_post", nested)
    with pytest.raises(Unauthorized) as told:
        await endpoint.for_itself(Application(provider_of(MICROSOFT), "app", "secret", "secret"))
    assert told.value.code == "authorization_silent"


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_a_secret_that_stayed_where_the_company_came_from_is_given_anew(kind: str) -> None:
    """No export tells secrets: what came with the company says that there was one."""
    with pytest.raises(Unauthorized) as told:
        application(SEAL, "delcourt", MICROSOFT | {"client_id": "app", "secret": None, "secret_kind": kind})
    assert told.value.code == "authorization_missing"


async def test_who_is_cancelled_while_a_token_is_renewed_leaves_what_comes_to_be_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lane that changes, a process that is asked to stop: where refresh tokens are good once, the consent would
    be lost with the answer."""
    keeper = Keeper(cast("AsyncEngine", None), NotifySettings(sealing_key="a key"))
    asked, answered = asyncio.Event(), asyncio.Event()
    kept: list[str] = []

    async def renewed(company: str) -> tuple[int, Granted]:
        asked.set()
        await answered.wait()
        kept.append(company)
        return 1, Granted("token", 3600.0)

    monkeypatch.setattr(keeper, "_renewed", renewed)
    waiting = asyncio.create_task(keeper._good("delcourt", 1, ""))
    await asked.wait()
    waiting.cancel()
    asyncio.get_running_loop().call_soon(answered.set)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert kept == ["delcourt"]


def by_token(tokens: Tokens, **other: Any) -> SmtpConnection:
    """To a port where nobody listens."""
    server = replace(of_installation(NotifySettings(smtp_port=9)), user="a@b.example", encryption="starttls")
    return SmtpConnection(replace(server, tokens=tokens, sign_in="oauth", **other))


@pytest.mark.parametrize(
    "failure", [OSError("PostgreSQL is away"), KeyError("way")], ids=["transient", "unforeseen"]
)
async def test_without_a_token_messages_wait_whatever_keeps_it_from_coming(failure: Exception) -> None:
    """Neither in doubt, since nothing left, nor an end of the room in which other companies' messages leave."""

    async def tokens(_: str) -> str:
        raise failure

    with pytest.raises(MailServerUnreachable):
        await by_token(tokens).connect()
    assert isinstance(await by_token(tokens).carry(MAIL), PutOff)


async def test_a_token_is_not_even_asked_for_where_others_could_read_it() -> None:
    asked: list[str] = []

    async def tokens(not_taken: str) -> str:
        asked.append(not_taken)
        return "token"

    with pytest.raises(MailServerUnreachable, match="encrypted"):
        await by_token(tokens, encryption="none").connect()
    assert asked == []


def test_a_certificate_needs_its_own_key() -> None:
    pem, _ = of_application()
    other, _ = of_application()
    mixed = pem.partition("-----BEGIN CERT")[0] + "-----BEGIN CERT" + other.partition("-----BEGIN CERT")[2]
    for unfit in (mixed, "", "-----BEGIN PRIVATE KEY-----", pem.partition("-----BEGIN CERT")[0]):
        with pytest.raises(CertificateUnfit):
            certified(unfit)
    assert assertion("app", "https://login.example/token", pem).count(".") == 2
