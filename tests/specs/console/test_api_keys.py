"""What makes a key, how it stands on a day, and which addresses lie below its company."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from contracts.systems import OURS
from services.console.api_keys import Key, KeyNotMade, standing_of, wanted
from services.console.systems.relaying import is_open

TODAY = date(2026, 11, 22)
ENDS = datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize("name", ["", "CRM", "mon crm", "-crm", "c" * 33, "a/b", *sorted(OURS)])
def test_a_name_is_plain_and_not_ours(name: str) -> None:
    with pytest.raises(KeyNotMade, match="key-name-refused"):
        wanted(name, ["read:clients"], None, TODAY, "Europe/Paris")


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read:clients", "everything"]])
def test_a_key_has_scopes_that_are_known(scopes: list[str]) -> None:
    with pytest.raises(KeyNotMade, match="key-scopes-missing"):
        wanted("crm", scopes, None, TODAY, "Europe/Paris")


def test_the_last_day_counts_whole_where_the_company_is() -> None:
    with pytest.raises(KeyNotMade, match="key-end-past"):
        wanted("crm", ["read:clients"], TODAY - timedelta(days=1), TODAY, "Europe/Paris")
    assert wanted(" crm ", ["push:rows", "read:clients"], TODAY, TODAY, "Europe/Paris") == (
        "crm",
        ["read:clients", "push:rows"],
        ENDS,
    )


@pytest.mark.parametrize(
    ("revoked", "held", "now", "standing"),
    [
        (None, False, ENDS - timedelta(seconds=1), "live"),
        (None, False, ENDS, "ended"),
        (None, True, ENDS - timedelta(seconds=1), "company-held"),
        (ENDS - timedelta(days=1), True, ENDS, "revoked"),
    ],
)
def test_how_a_key_stands(revoked: datetime | None, held: bool, now: datetime, standing: str) -> None:
    assert standing_of(ENDS, revoked, held, now) == standing


def test_a_token_is_never_good_for_longer_than_its_key() -> None:
    key = Key(UUID(int=1), "acme", "crm", ("read:clients",), ENDS, "live")
    assert key.token_minutes(5, ENDS - timedelta(minutes=2)) == 2
    assert key.token_minutes(5, ENDS - timedelta(days=2)) == 5
    forever = Key(UUID(int=1), "acme", "crm", ("read:clients",), None, "live")
    assert forever.token_minutes(5, datetime(2099, 1, 1, tzinfo=UTC)) == 5


@pytest.mark.parametrize(
    ("path", "opens"),
    [
        ("companies/acme", True),
        ("companies/acme/statement", True),
        ("openapi.json", True),
        ("companies/other/statement", False),
        ("companies", False),
        ("companies/acme/", False),
        ("companies/acme/../other/statement", False),
        ("companies/acme/./statement", False),
        ("companies/acme//statement", False),
        ("companies/acme/..;/x", False),
        ("companies/acme/a?b", False),
        ("companies/acme\n/statement", False),
        ("metrics", False),
        ("", False),
    ],
)
def test_only_what_lies_below_the_company_of_the_key_is_handed_on(path: str, opens: bool) -> None:
    assert is_open(path, "acme") == opens
