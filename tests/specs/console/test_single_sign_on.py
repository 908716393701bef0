"""What a provider tells of itself and of people, attempts, and what groups give: decided without any provider."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chassis import clock
from chassis.sealing import Seal
from services.console.settings import ConsoleSettings
from services.console.single_sign_on import attempt as attempts
from services.console.single_sign_on.arrived import Named, arrived, lacks
from services.console.single_sign_on.discovery import described
from services.console.single_sign_on.refusals import ProviderUnfit, SignOnRefused
from services.console.single_sign_on.rights import Given, RightsUnreadable, given, parsed
from services.console.single_sign_on.wiring import SignOnMisconfigured, configured

ISSUER = "https://id.example/realms/delcourt"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}
BY_EMAIL = Named("email", "email_verified", "groups")
CLAIMS = {"sub": "s-1", "email": " Nathalie@Delcourt.example", "email_verified": True, "name": "Nathalie Ferrand"}
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FILE = """
make_people = true

[[right]]
group = "controllers"
companies = ["delcourt", "autre"]
role = "user"

[[right]]
group = "north"
companies = ["delcourt"]
role = "user"
portfolio = ["DUP"]

[[right]]
group = "east"
companies = ["delcourt"]
role = "user"
portfolio = ["MAR", "DUP"]

[[right]]
group = "auditors"
companies = ["delcourt"]
role = "reader"

[[right]]
group = "heads"
companies = ["delcourt"]
role = "admin"
"""


def test_what_is_not_told_is_what_the_standard_says() -> None:
    known = described(ISSUER, DOCUMENT)
    assert known.algorithms == ("RS256",)
    assert known.takes_basic
    assert not known.names_itself
    assert (known.userinfo_url, known.end_session_url) == ("", "")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"issuer": f"{ISSUER}/"}, "RELANCE_OIDC_ISSUER"),
        ({"issuer": "https://login.example/{tenantid}/v2.0"}, "RELANCE_OIDC_ISSUER"),
        ({"token_endpoint": "http://id.example/token"}, "token_endpoint"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"jwks_uri": "https://a:b@id.example/keys"}, "jwks_uri"),
        ({"end_session_endpoint": "https://id.example/x\r\nset-cookie: a"}, "end_session_endpoint"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "algorithm"),
    ],
    ids=str,
)
def test_a_provider_that_does_not_fit_is_refused_with_what_to_mend(other: dict[str, Any], why: str) -> None:
    with pytest.raises(ProviderUnfit, match=why):
        described(ISSUER, DOCUMENT | other)


def test_an_attempt_goes_with_state_nonce_and_challenge_and_without_the_verifier() -> None:
    attempt = attempts.begun("/c/delcourt/home")
    url = attempts.address(attempt, described(ISSUER, DOCUMENT), "relance", "openid email", "https://r.example/b")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (asked["state"], asked["nonce"]) == (attempt.state, attempt.nonce)
    assert asked["code_challenge_method"] == "S256"
    assert attempt.verifier not in url
    assert "max_age" not in asked


def test_a_page_whose_address_no_cookie_holds_is_not_gone_back_to() -> None:
    assert attempts.begun("/c/a/clients?q=" + "a" * 1400).back.startswith("/c/a")
    for long in ("/" + "a" * 1500, "/" + "é" * 300):
        attempt = attempts.begun(long)
        assert attempt.back == "/"
        assert len(attempts.kept(Seal("key"), attempt)) < 4000


def test_who_shows_once_more_who_they_are_is_asked_whatever_the_provider_remembers() -> None:
    attempt = attempts.begun("/", proves="account")
    url = attempts.address(attempt, described(ISSUER, DOCUMENT), "relance", "openid", "https://r.example/b")
    asked = parse_qs(urlsplit(url).query)
    assert (asked["max_age"], asked["prompt"]) == (["0"], ["login"])


def test_an_attempt_comes_back_to_the_browser_that_began_it_within_ten_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: AT)
    seal, mine, other = Seal("key"), attempts.begun("/"), attempts.begun("/")
    cookie = attempts.kept(seal, mine)
    assert mine.verifier not in cookie
    assert attempts.brought_back(seal, cookie, mine.state) == mine
    for wrong in ((cookie, other.state), (cookie, ""), ("", mine.state), (cookie[:-4], mine.state), ("é", "")):
        with pytest.raises(SignOnRefused) as refused:
            attempts.brought_back(seal, *wrong)
        assert refused.value.code == "attempt_unknown"
    with pytest.raises(SignOnRefused, match="attempt_unknown"):
        attempts.brought_back(Seal("another key"), cookie, mine.state)
    monkeypatch.setattr(clock, "now", lambda: AT + timedelta(seconds=600))
    assert attempts.brought_back(seal, cookie, mine.state) == mine
    monkeypatch.setattr(clock, "now", lambda: AT + timedelta(seconds=601))
    with pytest.raises(SignOnRefused, match="attempt_over"):
        attempts.brought_back(seal, cookie, mine.state)


def test_who_came_is_named_as_accounts_are() -> None:
    who = arrived(CLAIMS, BY_EMAIL, with_groups=False)
    assert (who.subject, who.address, who.name) == ("s-1", "nathalie@delcourt.example", "Nathalie Ferrand")
    assert who.groups == frozenset()


@pytest.mark.parametrize("verified", [False, None, "false", 1, "yes"], ids=str)
def test_an_address_that_the_provider_has_not_verified_names_nobody(verified: object) -> None:
    with pytest.raises(SignOnRefused, match="address_unverified"):
        arrived(CLAIMS | {"email_verified": verified}, BY_EMAIL, with_groups=False)


def test_another_claim_names_people_where_the_operator_says_so() -> None:
    claims = {"sub": "s-1", "upn": "nathalie@delcourt.example", "email": "x@evil.example"}
    assert arrived(claims, Named("upn", "", "groups"), with_groups=False).address == "nathalie@delcourt.example"


@pytest.mark.parametrize("address", [None, "", "  ", 7, "a" * 400], ids=lambda one: str(one)[:10])
def test_whoever_has_no_address_is_refused(address: object) -> None:
    with pytest.raises(SignOnRefused, match="address_missing"):
        arrived(CLAIMS | {"email": address}, BY_EMAIL, with_groups=False)


@pytest.mark.parametrize(
    "address",
    ["ma\N{KELVIN SIGN}e@delcourt.example", "\N{ANGSTROM SIGN}sa@delcourt.example", "n\x00a@delcourt.example"],
    ids=ascii,
)
def test_an_address_that_lower_case_makes_somebody_elses_is_refused(address: str) -> None:
    with pytest.raises(SignOnRefused, match="address_missing: email holds letters"):
        arrived(CLAIMS | {"email": address}, BY_EMAIL, with_groups=False)


def test_letters_of_other_languages_are_letters() -> None:
    found = arrived(CLAIMS | {"email": "Élodie@delcourt.example"}, BY_EMAIL, with_groups=False)
    assert found.address == "élodie@delcourt.example"


def test_a_name_is_one_line_of_letters() -> None:
    told = CLAIMS | {"name": " Nathalie\r\nBcc: x@evil.example\x00 \N{RIGHT-TO-LEFT OVERRIDE}Ferrand "}
    assert arrived(told, BY_EMAIL, with_groups=False).name == "Nathalie Bcc: x@evil.example Ferrand"
    nameless = CLAIMS | {"name": "\n\x00"}
    assert arrived(nameless, BY_EMAIL, with_groups=False).name == "Nathalie@Delcourt.example"


@pytest.mark.parametrize("subject", [None, "", 7, "a" * 256, "a\x00b"], ids=lambda one: ascii(one)[:10])
def test_who_has_no_name_of_the_providers_own_is_refused(subject: object) -> None:
    with pytest.raises(SignOnRefused, match="token_claims: sub"):
        arrived(CLAIMS | {"sub": subject}, BY_EMAIL, with_groups=False)


def test_groups_that_are_left_out_for_their_number_are_not_taken_for_none() -> None:
    """Entra ID does so beyond two hundred: rights would be taken away from whoever has most."""
    claims = CLAIMS | {"_claim_names": {"groups": "src1"}}
    with pytest.raises(SignOnRefused, match="groups_left_out"):
        arrived(claims, BY_EMAIL, with_groups=True)
    assert arrived(claims, BY_EMAIL, with_groups=False)


@pytest.mark.parametrize("groups", [7, {"a": 1}, [1], [None], ["g"] * 3000], ids=lambda one: str(one)[:10])
def test_groups_that_are_no_list_of_names_are_refused(groups: object) -> None:
    with pytest.raises(SignOnRefused, match="token_claims"):
        arrived(CLAIMS | {"groups": groups}, BY_EMAIL, with_groups=True)


def test_the_provider_is_asked_for_more_only_where_the_token_lacks_something() -> None:
    assert not lacks(CLAIMS, BY_EMAIL, with_groups=False)
    assert lacks(CLAIMS, BY_EMAIL, with_groups=True)
    assert lacks({"sub": "s-1"}, BY_EMAIL, with_groups=False)


def test_groups_give_roles_in_companies() -> None:
    rights = parsed(FILE)
    assert rights.companies == {"delcourt", "autre"}
    assert given(rights, ["controllers", "of no meaning here"]) == {
        "delcourt": Given("user", None),
        "autre": Given("user", None),
    }
    assert given(rights, []) == {}


def test_the_highest_role_counts_with_what_its_own_groups_show() -> None:
    """A reader of everything who is a user of some clients does not become a user of everything."""
    rights = parsed(FILE)
    assert given(rights, ["auditors", "north"]) == {"delcourt": Given("user", ("DUP",))}
    assert given(rights, ["east", "north"]) == {"delcourt": Given("user", ("DUP", "MAR"))}
    assert given(rights, ["heads", "north"]) == {"delcourt": Given("admin", None)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("right = 1", "right"),
        ("[[right]", "no TOML"),
        ('[[right]]\ngroup="g"\ncompanies=["a"]\nrole="chief"', "right.0.role"),
        ('[[right]]\ngroup="g"\ncompanies=[]\nrole="user"', "right.0.companies"),
        ('[[right]]\ngroup=""\ncompanies=["a"]\nrole="user"', "right.0.group"),
        ('[[right]]\ngroup="g"\ncompany="a"\nrole="user"', "right.0"),
        ('[[right]]\ngroup="g"\ncompanies=["a"]\nrole="user"\nportfolio=[]', "right.0.portfolio"),
        ('[[right]]\ngroup="g"\ncompanies=["a"]\nrole="admin"\nportfolio=["D"]', "sees every client"),
        ("make_peple = true", "make_peple"),
    ],
)  # fmt: skip
def test_a_file_that_says_what_cannot_be_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(RightsUnreadable, match=why):
        parsed(text)


@pytest.mark.parametrize(
    ("other", "setting"),
    [
        ({"oidc_issuer": "", "password_sign_in": False}, "PASSWORD_SIGN_IN"),
        ({"oidc_issuer": "http://id.example"}, "OIDC_ISSUER"),
        ({"oidc_client_id": ""}, "OIDC_CLIENT_ID"),
        ({"oidc_scopes": "email"}, "OIDC_SCOPES"),
        ({"console_url": ""}, "CONSOLE_URL"),
        ({"console_url": "http://relance.example"}, "CONSOLE_URL"),
        ({"console_url": "https://relance.example/app"}, "CONSOLE_URL"),
        ({"secure_cookies": False}, "SECURE_COOKIES"),
        ({"oidc_networks": "inside"}, "OIDC_NETWORKS"),
        ({"oidc_ca_file": "/nowhere.pem"}, "OIDC_CA_FILE"),
        ({"oidc_rights_file": "/nowhere.toml"}, "OIDC_RIGHTS_FILE"),
        ({"oidc_person_claim": ""}, "OIDC_PERSON_CLAIM"),
    ],
    ids=str,
)
def test_settings_by_which_nobody_could_sign_in_are_refused_by_name(
    other: dict[str, Any], setting: str, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_text("a key")
    good: dict[str, Any] = {
        "oidc_issuer": ISSUER,
        "oidc_client_id": "relance",
        "console_url": "https://relance.example/",
        "secure_cookies": True,
    }
    found = configured(ConsoleSettings(**good), key)
    assert found is not None
    assert found.provider.client.redirect_uri == "https://relance.example/sign-on/return"
    with pytest.raises(SignOnMisconfigured, match=f"RELANCE_{setting}:"):
        configured(ConsoleSettings(**good | other), key)


def test_without_a_provider_people_sign_in_by_password(tmp_path: Path) -> None:
    assert configured(ConsoleSettings(), tmp_path / "never read") is None
