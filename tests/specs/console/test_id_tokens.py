"""An ID token is the provider's word, for us, about this attempt, now; else it is refused, and why is told."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, Key, KeySet, OctKey

from services.console.single_sign_on.id_token import SKEW_SECONDS, Expected, key_named, verified
from services.console.single_sign_on.refusals import SignOnRefused
from tests.integration.console.oidc_server import new_key, signed, unsigned

ISSUER, CLIENT, NONCE, NOW = "https://id.example", "relance-console", "n0nce", 1_800_000_000
KEY, OTHER = new_key("first"), new_key("first")
EXPECTED = Expected(ISSUER, CLIENT, NONCE, ("RS256", "ES256"))
GOOD = {"iss": ISSUER, "aud": CLIENT, "sub": "s", "iat": NOW, "exp": NOW + 300, "nonce": NONCE}


def read(token: str, *keys: Key, expected: Expected = EXPECTED, now: int = NOW) -> Any:
    return verified(token, KeySet(list(keys or (KEY,))), expected, now)


def refusal(token: str, *keys: Key, expected: Expected = EXPECTED, now: int = NOW) -> str:
    with pytest.raises(SignOnRefused) as refused:
        read(token, *keys, expected=expected, now=now)
    return refused.value.code


def with_(**claims: Any) -> str:
    changed = {name: value for name, value in (GOOD | claims).items() if value is not None}
    return signed(changed, KEY)


def test_a_good_token_tells_its_claims() -> None:
    assert read(signed(GOOD, KEY))["sub"] == "s"


def test_any_key_that_the_provider_shows_will_do() -> None:
    later = ECKey.generate_key("P-256", {"kid": "later"})
    assert read(signed(GOOD, later, "ES256"), KEY, later)["sub"] == "s"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "https://id.example.evil"}, "token_issuer"),
        ({"iss": f"{ISSUER}/"}, "token_issuer"),
        ({"iss": None}, "token_issuer"),
        ({"aud": "another"}, "token_audience"),
        ({"aud": ["another"]}, "token_audience"),
        ({"aud": None}, "token_audience"),
        ({"aud": {"relance-console": 1}}, "token_audience"),
        ({"aud": [CLIENT, "another"]}, "token_party"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "token_party"),
        ({"azp": "another"}, "token_party"),
        ({"nonce": "of another attempt"}, "token_nonce"),
        ({"nonce": None}, "token_nonce"),
        ({"nonce": 7}, "token_nonce"),
        ({"exp": None}, "token_claims"),
        ({"iat": None}, "token_claims"),
        ({"sub": None}, "token_claims"),
        ({"exp": "soon"}, "token_claims"),
        ({"nbf": NOW + SKEW_SECONDS + 1}, "token_claims"),
        ({"iat": NOW + SKEW_SECONDS + 1}, "token_claims"),
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_is_refused_by_name(claims: dict[str, Any], code: str) -> None:
    assert refusal(with_(**claims)) == code


def test_a_token_for_several_that_was_issued_to_us_is_ours() -> None:
    assert read(with_(aud=[CLIENT, "another"], azp=CLIENT))["sub"] == "s"


def test_clocks_may_differ_by_a_minute() -> None:
    token = signed(GOOD, KEY)
    assert read(token, now=NOW + 300 + SKEW_SECONDS - 1)["sub"] == "s"
    assert refusal(token, now=NOW + 300 + SKEW_SECONDS) == "token_expired"
    assert read(with_(iat=NOW + SKEW_SECONDS, nbf=NOW + SKEW_SECONDS))["sub"] == "s"


def test_a_token_that_nobody_signed_is_refused() -> None:
    assert refusal(unsigned(GOOD)) == "token_algorithm"


def test_a_token_signed_by_the_shared_secret_is_refused() -> None:
    secret = OctKey.import_key("the secret that the console shares with its provider", {"kid": "first"})
    assert refusal(signed(GOOD, secret, "HS256")) == "token_algorithm"


def test_a_token_signed_by_another_key_of_the_same_name_is_refused() -> None:
    assert refusal(signed(GOOD, OTHER)) == "token_signature"


def test_a_token_of_a_key_that_is_not_shown_is_refused() -> None:
    assert refusal(signed(GOOD, new_key("unknown"))) == "token_key_unknown"


def test_a_changed_token_is_refused() -> None:
    head, body, signature = signed(GOOD, KEY).split(".")
    _, other, _ = with_(sub="somebody else").split(".")
    assert refusal(f"{head}.{other}.{signature}") == "token_signature"
    assert read(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "é.é.é", "x" * 60_000, "e30.e30.e30"])
def test_what_is_no_token_is_refused(token: str) -> None:
    """Whichever of the two looks at it first."""
    codes = []
    for look in (key_named, read):
        try:
            look(token)
        except SignOnRefused as refused:
            codes.append(refused.code)
    assert set(codes) <= {"token_unreadable", "token_algorithm"}
    assert codes, "it was believed"


def test_who_shows_once_more_who_they_are_has_to_have_done_so_now() -> None:
    expected = Expected(ISSUER, CLIENT, NONCE, ("RS256",), authenticated_since=NOW)
    assert read(with_(auth_time=NOW + 5), expected=expected)
    assert read(with_(auth_time=NOW - SKEW_SECONDS), expected=expected)
    assert refusal(with_(auth_time=NOW - SKEW_SECONDS - 1), expected=expected) == "not_shown_again"
    assert refusal(with_(), expected=expected) == "not_shown_again"
