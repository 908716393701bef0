"""Administrators keep the list of profiles; every client has the one it should have (rules 3.1 to 3.5)."""

from typing import Any
from uuid import uuid4

from chassis.eventlog import Said
from contracts.subjects import partition_of
from contracts.sync import ClientsSynced, SyncedClient
from tests.integration.ledger.conftest import House, Voice


async def know(voice: Voice, house: House, company: str, clients: dict[str, str | None]) -> None:
    """Clients with the profile that accounting says."""
    assert (await house.put(company, "", {"name": "Acme"})).status_code == 200
    said = [
        Said(
            ClientsSynced(
                run_id=uuid4(),
                source="book",
                clients=(SyncedClient(client_id=client_id, account="411", profile=profile),),
            ),
            partition=partition_of(company, client_id),
        )
        for client_id, profile in clients.items()
    ]
    heard = await voice.say(company, said)
    await house.get(company, "/lettering-errors", heard=heard)


async def has(house: House, company: str, *clients: str) -> list[str | None]:
    return [(await house.get(company, "/client", client_id=client_id))["profile"] for client_id in clients]


async def command(house: House, company: str, path: str, **body: Any) -> dict[str, Any]:
    answer = await house.post(company, path, body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_new_name_reaches_clients_that_accounting_put_under_it(
    voice: Voice, house: House, company: str
) -> None:
    await know(voice, house, company, {"C1": "GROSSISTE", "C2": None, "C3": "export"})
    assert await has(house, company, "C1", "C2", "C3") == ["GROSSISTE", None, "Export"]
    listed = await house.get(company, "/profiles")
    assert listed["unlisted"] == [{"profile": "GROSSISTE", "clients": 1}]
    assert [(one["profile"], one["clients"]) for one in listed["profiles"]][:2] == [("Standard", 1), ("Export", 1)]

    added = await command(house, company, "/add-profile", name="Grossiste")
    assert added["profile"] == "Grossiste"
    assert await has(house, company, "C1") == ["Grossiste"]
    await command(house, company, "/rename-profile", profile="Grossiste", name="Revendeurs")
    assert await has(house, company, "C1") == ["Grossiste"], "events know it by the word it was made under"
    told = await house.get(company, "")
    assert (told["profiles"]["Grossiste"], told["default_profile"]) == ("Revendeurs", "Standard")
    assert (await house.get(company, "/profiles"))["unlisted"] == []


async def test_a_used_profile_goes_only_with_another_that_takes_its_clients(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 3.3."""
    await know(voice, house, company, {"C1": "Export", "C2": None, "C3": "Export"})
    await command(house, company, "/assign-profile", client_id="C2", profile="Export")
    await command(house, company, "/assign-profile", client_id="C3", profile="Interne")
    alone = await house.post(company, "/delete-profile", {"profile": "Export"})
    assert (alone.status_code, alone.json()["type"], alone.json()["clients"]) == (409, "profile-in-use", 2)

    await command(house, company, "/delete-profile", profile="Export", taken_over_by="Grand Compte")
    assert await has(house, company, "C1", "C2", "C3") == ["Grand Compte", "Grand Compte", "Interne"]
    assert (await house.get(company, "/client", client_id="C2"))["chosen_profile"] == "Grand Compte"
    await command(house, company, "/assign-profile", client_id="C3", profile=None)
    assert await has(house, company, "C3") == ["Grand Compte"], "what accounting says means the one that took over"
    gone = await house.post(company, "/assign-profile", {"client_id": "C1", "profile": "Export"})
    assert (gone.status_code, gone.json()["type"]) == (404, "unknown-profile")


async def test_one_profile_for_many_clients_all_or_none(voice: Voice, house: House, company: str) -> None:
    """Rule 3.4."""
    await know(voice, house, company, {"C1": None, "C2": "Export", "C3": None})
    many = {"client_ids": ["C1", "C2", "NOBODY"], "profile": "Interne"}
    refused = await house.post(company, "/assign-profiles", many)
    assert (refused.status_code, refused.json()["client_id"]) == (404, "NOBODY")
    assert await has(house, company, "C1", "C2") == [None, "Export"]
    done = await command(house, company, "/assign-profiles", client_ids=["C1", "C2", "C1"], profile="Interne")
    assert done["assigned"] == 2
    again = await command(house, company, "/assign-profiles", client_ids=["C2", "C3"], profile="Interne")
    assert again["assigned"] == 1, "who has it already is left alone"
    assert await has(house, company, "C1", "C2", "C3") == ["Interne"] * 3
    await command(house, company, "/assign-profiles", client_ids=["C1", "C2"], profile=None)
    assert await has(house, company, "C1", "C2") == [None, "Export"]


async def test_only_administrators_change_profiles(house: House, company: str) -> None:
    """Rule 3.2."""
    await house.put(company, "", {"name": "Acme"})
    user = house.token(company, role="user")
    for path, body in (
        ("/add-profile", {"name": "VIP"}),
        ("/rename-profile", {"profile": "Export", "name": "VIP"}),
        ("/choose-default-profile", {"profile": "Export"}),
        ("/delete-profile", {"profile": "Export"}),
        ("/assign-profiles", {"client_ids": ["C1"], "profile": "Export"}),
    ):
        answer = await house.http.post(f"/companies/{company}{path}", json=body, headers=user)
        assert answer.status_code == 403, path
    assert (await house.http.get(f"/companies/{company}/profiles", headers=user)).status_code == 200
    nobody = await house.post("nowhere", "/add-profile", {"name": "VIP"})
    assert (nobody.status_code, nobody.json()["type"]) == (404, "unknown-company")
    blank = await house.post(company, "/add-profile", {"name": "  "})
    assert blank.status_code == 422
