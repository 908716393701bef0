"""The default profile is chosen at ledger; decisions follow it (rules 3.2, 3.6)."""

import pytest_asyncio

from contracts import ledger
from tests.integration.dunning.house import House, client_changed, line


@pytest_asyncio.fixture
async def house(stack, company):
    made = House.on(stack, company)
    await made.process.connect()
    yield await made.registered()
    await made.process.stop()


def listed(default: str) -> ledger.ProfilesChanged:
    named = tuple(ledger.ProfileNamed(profile=one, name=one) for one in ledger.DELIVERED_PROFILES)
    return ledger.ProfilesChanged(profiles=named, default_profile=default)


async def test_the_policy_follows_the_default_and_its_clients_are_decided_by_it(house: House):
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"))
    await house.hear("2025-03-01", client_changed("A"))
    await house.round("2025-03-18")
    assert (await house.verdicts())["A1"][0] == "due"
    async with house.http() as http:
        before = (await http.get("/policy")).json()
    await house.hear("2025-03-18", listed("Interne"), listed("Interne"))
    async with house.http() as http:
        after = (await http.get("/policy")).json()
        assert (after["default_profile"], after["version"]) == ("Interne", before["version"] + 1)
        assert {**after, "version": 0, "default_profile": ""} == {**before, "version": 0, "default_profile": ""}
        refused = await http.put("/policy", json={"default_profile": "Export"})
        assert (refused.status_code, refused.json()["type"]) == (409, "default-profile-chosen-elsewhere")
        kept = await http.put("/policy", json={"promises_exclude": True})
        assert kept.status_code == 200
        assert (await http.get("/policy")).json()["default_profile"] == "Interne"
    await house.round("2025-03-19")
    assert (await house.verdicts()).get("A1", ("gone",))[0] != "due", "Interne has no scenario"
