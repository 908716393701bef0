"""An administrator says that accounting renumbered a client: nothing said of it is lost (rule 5.9)."""

from tests.integration.ledger.conftest import House, Voice, entry_id, synced


async def test_what_was_said_of_the_old_code_goes_on_with_the_new_one(
    voice: Voice, house: House, company: str
) -> None:
    assert (await house.put(company, "", {"name": "Acme"})).status_code == 200
    heard = await voice.run(company, [synced("I1", "OLD", "100"), synced("I2", "OLD", "50")])
    await house.get(company, "/client", heard=heard, client_id="OLD")
    invoice = {"client_id": "OLD", "entry_id": entry_id("I1")}
    for path, body in (
        ("/record-promise", invoice | {"promised_on": "2026-03-20"}),
        ("/open-dispute", invoice | {"reason": "price", "comment": "Vu avec eux"}),
        ("/stop-client", {"client_id": "OLD"}),
    ):
        assert (await house.post(company, path, body)).status_code == 200, path
    await house.put(company, "/contact", {"client_id": "OLD", "name": "Alice", "email": "a@example.org"})

    gone = [
        synced(name, "OLD", amount).model_copy(update={"removed": True})
        for name, amount in (("I1", "100"), ("I2", "50"))
    ]
    renumbered = synced("I1", "NEW", "100").model_copy(update={"entry_id": entry_id("I1 of NEW")})
    heard = await voice.run(company, [*gone, renumbered])
    await house.get(company, "/client", heard=heard, client_id="NEW")
    answer = await house.post(company, "/merge-clients", {"client_id": "OLD", "into": "NEW"})
    assert (answer.status_code, answer.json().get("entries")) == (200, 1), answer.text

    new = await house.get(company, "/client", client_id="NEW")
    assert [(one["entry_id"], one["status"]) for one in new["promises"]] == [(entry_id("I1 of NEW"), "expected")]
    assert [(one["entry_id"], one["reason"]) for one in new["disputes"]] == [(entry_id("I1 of NEW"), "price")]
    assert [note["text"] for note in new["notes"]] == ["Vu avec eux"]
    assert [contact["name"] for contact in new["contacts"]] == ["Alice"]
    assert (new["stop"]["since"], new["merged_from"]) == ("2026-03-10", ["OLD"])
    old = await house.get(company, "/client", client_id="OLD")
    assert (old["merged_into"], old["promises"][0]["status"]) == ("NEW", "cancelled")
    assert old["disputes"][0]["closed_on"] == "2026-03-10"

    again = await house.post(company, "/merge-clients", {"client_id": "OLD", "into": "NEW"})
    assert again.status_code == 200
    assert len((await house.get(company, "/client", client_id="NEW"))["promises"]) == 1
    back = await house.post(company, "/merge-clients", {"client_id": "NEW", "into": "OLD"})
    assert (back.status_code, back.json()["type"]) == (409, "merge-into-itself")
    unknown = await house.post(company, "/merge-clients", {"client_id": "OLD", "into": "NOBODY"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "unknown-client")


async def known(voice: Voice, house: House, company: str, *clients: str) -> None:
    """Clients with an invoice of 100 each, and nothing else."""
    assert (await house.put(company, "", {"name": "Acme"})).status_code == 200
    heard = await voice.run(company, [synced(f"I of {client}", client, "100") for client in clients])
    await house.get(company, "/client", heard=heard, client_id=clients[0])


async def merge(house: House, company: str, old: str, into: str) -> None:
    answer = await house.post(company, "/merge-clients", {"client_id": old, "into": into})
    assert answer.status_code == 200, answer.text


async def test_merging_again_undoes_nothing_that_people_decided_since(
    voice: Voice, house: House, company: str
) -> None:
    await known(voice, house, company, "OLD")
    invoice = {"client_id": "OLD", "entry_id": entry_id("I of OLD")}
    for path, body in (
        ("/stop-client", {"client_id": "OLD"}),
        ("/stop-entry", invoice),
        ("/reposition-entry", invoice | {"expected_on": "2026-03-20"}),
        ("/flag-client", {"client_id": "OLD"}),
        ("/assign-profile", {"client_id": "OLD", "profile": "Export"}),
    ):
        assert (await house.post(company, path, body)).status_code == 200, path
    gone = synced("I of OLD", "OLD", "100").model_copy(update={"removed": True})
    renumbered = gone.model_copy(update={"client_id": "NEW", "entry_id": entry_id("I of NEW"), "removed": False})
    heard = await voice.run(company, [gone, renumbered])
    await house.get(company, "/client", heard=heard, client_id="NEW")
    await merge(house, company, "OLD", "NEW")

    old = await house.get(company, "/client", client_id="OLD")
    assert (old["stop"], old["stopped_entries"], old["expected"]) == (None, [], [])
    assert (old["flagged"], old["chosen_profile"]) == (False, None)
    for path, body in (
        ("/resume-client", {"client_id": "NEW"}),
        ("/resume-entry", {"client_id": "NEW", "entry_id": entry_id("I of NEW")}),
    ):
        assert (await house.post(company, path, body)).status_code == 200, path
    await merge(house, company, "OLD", "NEW")
    new = await house.get(company, "/client", client_id="NEW")
    assert (new["stop"], new["stopped_entries"], new["chosen_profile"]) == (None, [], "Export")
    first, again = await house.until_said(company, "ClientMerged", 2)
    assert len(first["entries"]) == 1
    assert again["entries"] == [], "dunning would put the level of the old line back"


async def test_a_promise_on_a_line_that_was_settled_meanwhile_is_kept(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 10.2."""
    await known(voice, house, company, "OLD")
    promise = {"client_id": "OLD", "entry_id": entry_id("I of OLD"), "promised_on": "2026-03-20"}
    assert (await house.post(company, "/record-promise", promise)).status_code == 200
    gone = synced("I of OLD", "OLD", "100").model_copy(update={"removed": True})
    settled = gone.model_copy(
        update={"client_id": "NEW", "entry_id": entry_id("I of NEW"), "removed": False, "lettering": "AA"}
    )
    heard = await voice.run(company, [gone, settled, synced("P of NEW", "NEW", "-100", "AA")])
    await house.get(company, "/client", heard=heard, client_id="NEW")
    await merge(house, company, "OLD", "NEW")
    new = await house.get(company, "/client", client_id="NEW")
    assert [one["status"] for one in new["promises"]] == ["kept"]


async def test_notes_follow_over_a_chain_of_merges(voice: Voice, house: House, company: str) -> None:
    await known(voice, house, company, "A", "B", "C")
    for code in ("A", "B"):
        assert (
            await house.post(company, "/add-note", {"client_id": code, "text": f"De {code}"})
        ).status_code == 200
    await merge(house, company, "A", "B")
    await merge(house, company, "B", "C")
    last = await house.get(company, "/client", client_id="C")
    assert sorted(note["text"] for note in last["notes"]) == ["De A", "De B"]
    assert last["merged_from"] == ["A", "B"]
    assert (await house.get(company, "/client", client_id="B"))["merged_from"] == ["A"]


async def test_merging_into_a_code_that_became_another_lands_on_that_one(
    voice: Voice, house: House, company: str
) -> None:
    """Rule 5.9."""
    await house.put(company, "", {"name": "Acme"})
    heard = await voice.run(company, [synced(f"I of {client}", client, "100") for client in ("A", "B", "C")])
    for client in ("A", "B", "C"):
        await house.get(company, "/client", heard=heard, client_id=client)
    assert (await house.post(company, "/flag-client", {"client_id": "A"})).status_code == 200
    gone = synced("I of A", "A", "100").model_copy(update={"removed": True})
    heard = await voice.run(company, [gone])
    await house.get(company, "/client", heard=heard, client_id="A")
    assert (await house.post(company, "/merge-clients", {"client_id": "B", "into": "C"})).status_code == 200
    answer = await house.post(company, "/merge-clients", {"client_id": "A", "into": "B"})
    assert (answer.status_code, answer.json()["into"]) == (200, "C"), answer.text
    last = await house.get(company, "/client", client_id="C")
    assert (last["merged_from"], last["flagged"]) == (["A", "B"], True)
    circle = await house.post(company, "/merge-clients", {"client_id": "C", "into": "A"})
    assert (circle.status_code, circle.json()["type"]) == (409, "merge-into-itself")
