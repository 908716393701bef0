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
