"""The guard of webhooks: names lead to public addresses only, or to networks that the operator named."""

from ipaddress import ip_address
from typing import Any

import httpcore
import pytest

from chassis import guard
from chassis.guard import AddressRefused, GuardedNetwork, is_allowed, networks_of
from services.reporting.settings import ReportingSettings
from services.reporting.webhooks.addresses import UrlRefused, check_url
from services.reporting.webhooks.posting import LONGEST_WAIT_ASKED_SECONDS, Post, _outcome, new_secret
from services.reporting.webhooks.sending import pause_after, retried_until

INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1", "fc00::1", "::ffff:192.168.1.1", "64:ff9b::a00:1", "2002:a00:1::", "::",
    "64:ff9b:1::a00:1", "fec0::1", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_the_inside_is_closed(address: str) -> None:
    assert not is_allowed(ip_address(address), ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_the_public_internet_is_open(address: str) -> None:
    assert is_allowed(ip_address(address), ())


def test_the_operator_opens_networks_and_nothing_beside_them() -> None:
    allowed = networks_of("10.20.0.0/16, 127.0.0.1")
    assert is_allowed(ip_address("10.20.3.4"), allowed)
    assert is_allowed(ip_address("::ffff:10.20.3.4"), allowed)
    assert not is_allowed(ip_address("10.21.0.1"), allowed)
    assert not is_allowed(ip_address("127.0.0.2"), allowed)


@pytest.mark.parametrize(
    "url",
    [
        "https://récepteur.example/", "https://receiver.example/reçu", "https://a..example/", "https://.example/",
        f"https://{'a' * 64}.example/", "https://receiver.example/a b",
    ],
)  # fmt: skip
def test_an_address_that_no_program_can_call_is_refused_when_it_is_typed(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, ())


@pytest.mark.parametrize("url", ["https://receiver.example./x?y=%C3%A9", "https://[2606:4700::1111]:8443/x"])
def test_an_address_is_kept_as_it_was_typed(url: str) -> None:
    assert check_url(url, ()) == url


@pytest.mark.parametrize(
    "url", ["https://récepteur.example/", "https://a..example/", f"https://{'a' * 64}.example/"]
)
async def test_an_address_that_cannot_be_called_is_a_failure_like_any_other(url: str) -> None:
    """It was kept before such addresses were refused; what goes to other receivers does not end with it."""
    async with Post(ReportingSettings()) as post:
        outcome = await post.send(url, "msg_1", "{}", [new_secret()])
    assert not outcome.ok
    assert outcome.told


@pytest.mark.parametrize("retry_after", ["²", "-1", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400, ""])
def test_whatever_a_receiver_answers_the_pause_it_asks_for_is_bounded(retry_after: str) -> None:
    assert 0 <= _outcome(503, retry_after).wait_seconds <= LONGEST_WAIT_ASKED_SECONDS


async def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever it led to when it was saved: what is looked up last is what is judged, and connected to."""

    async def inside(host: str, port: int) -> list[Any]:
        return [ip_address("10.0.0.1")]

    monkeypatch.setattr(guard, "_looked_up", inside)
    async with httpcore.AsyncConnectionPool(network_backend=GuardedNetwork(())) as pool:
        with pytest.raises(AddressRefused, match=r"receiver\.example is not on the public internet"):
            await pool.request("POST", "http://receiver.example/x")


def test_pauses_grow_up_to_a_longest_one() -> None:
    settings = ReportingSettings()
    pauses = [pause_after(attempt, settings, spread=0) for attempt in range(1, 12)]
    assert pauses[:4] == [5, 20, 80, 320]
    assert pauses == sorted(pauses)
    assert pauses[-1] == settings.webhook_longest_pause_seconds


def test_a_receiver_may_be_away_for_a_day() -> None:
    assert retried_until(ReportingSettings()) > 24 * 3600
