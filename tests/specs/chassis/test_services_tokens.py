"""Tokens by services' own keys: each speaks for itself, where it has something to ask."""

import pytest
from joserfc.jwk import OKPKey

from chassis.auth import Role, Signing, TokenRefused, mint, new_key_pair, same_pair, verify

PEOPLE, NOTIFY, OTHER = (OKPKey.import_key(new_key_pair().private) for _ in range(3))


def at_ledger(name: str) -> Signing | None:
    return Signing(NOTIFY, {"system", "debtor"}) if name == "notify" else None


def test_a_service_asks_as_itself() -> None:
    token = mint(NOTIFY, "service:notify", ["*"], "system", signer="notify")
    who = verify(token, PEOPLE, at_ledger)
    assert (who.subject, who.role, who.token) == ("service:notify", "system", token)
    assert token not in repr(who)


def test_it_lets_debtors_in_where_it_may() -> None:
    token = mint(NOTIFY, "debtor", ["acme"], "debtor", client_id="C1", signer="notify")
    assert verify(token, PEOPLE, at_ledger).client_id == "C1"


@pytest.mark.parametrize(
    ("subject", "role"),
    [("service:sync", "system"), ("operator", "system"), ("user:alice", "admin"), ("user:alice", "reader")],
)
def test_it_speaks_for_nobody_else(subject: str, role: Role) -> None:
    """Whoever took over one service is none of the others, and no person."""
    with pytest.raises(TokenRefused):
        verify(mint(NOTIFY, subject, ["*"], role, signer="notify"), PEOPLE, at_ledger)


@pytest.mark.parametrize("signer", ["", "sync", "../notify", "notify"])
def test_a_key_is_known_by_one_name_only(signer: str) -> None:
    with pytest.raises(TokenRefused):
        verify(mint(OTHER, "service:notify", ["*"], "system", signer=signer), PEOPLE, at_ledger)


def test_where_it_has_nothing_to_ask_it_is_refused() -> None:
    token = mint(NOTIFY, "service:notify", ["*"], "system", signer="notify")
    with pytest.raises(TokenRefused):
        verify(token, PEOPLE)


def test_people_are_signed_for_without_a_name() -> None:
    assert verify(mint(PEOPLE, "user:alice", ["acme"], "admin"), PEOPLE, at_ledger).subject == "user:alice"


def test_halves_of_a_pair_are_known() -> None:
    pair = new_key_pair()
    assert same_pair(OKPKey.import_key(pair.private), OKPKey.import_key(pair.public))
    assert not same_pair(PEOPLE, NOTIFY)
