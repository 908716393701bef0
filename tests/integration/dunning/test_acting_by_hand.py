"""Actions by hand over HTTP, against the real tables (rules 5.5, 8.16, 9.1 to 9.3)."""

from typing import Any
from uuid import uuid4

from contracts import ledger, notify
from tests.integration.dunning.house import House, client_changed, entry_id, line

DAY = "2025-03-18"


async def _a_book(house: House) -> None:
    await house.hear("2025-03-01", client_changed("A"), client_changed("B"))
    await house.books(
        "2025-03-01",
        line("A", "A1", 100, "2025-03-10"),
        line("A", "A2", 50, "2025-03-10"),
        line("B", "B1", 70, "2025-03-10"),
        line("B", "BL", 30, "2025-02-10", lettering="X"),
        line("B", "BP", -30, "2025-02-12", lettering="X"),
    )


def _wish(client: str, *pieces: str, **options: Any) -> dict[str, Any]:
    ids = [entry_id(piece) for piece in pieces]
    return {"request_id": str(uuid4()), "client_id": client, "entry_ids": ids, "medium": "email", **options}


async def _act(house: House, *wishes: dict[str, Any], role: str = "user") -> dict[str, Any]:
    async with house.http(role) as http:
        answer = await http.post("/by-hand", json={"actions": list(wishes), "as_of": DAY})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


async def test_the_plan_is_what_is_said_and_says_nothing_itself(house: House):
    await _a_book(house)
    wish = _wish("A", "A1", counts=True)
    async with house.http("user") as http:
        plan = (await http.post("/by-hand/plan", json={**wish, "as_of": DAY})).json()
    assert await house.said("ActionDue") == []
    draft = str(uuid4())
    done = await _act(house, {**wish, "draft_id": draft})
    (due,) = await house.said("ActionDue")
    assert due["body"]["action"] == plan["action"]
    assert (due["body"]["draft_id"], done["done"]) == (draft, [plan["action"]["action_id"]])
    assert plan["action"]["by_hand"]


async def test_a_form_sent_twice_acts_once(house: House):
    await _a_book(house)
    wish = _wish("A", "A1")
    first, again = await _act(house, wish), await _act(house, wish)
    assert first["done"] == again["done"]
    assert again["position"] is None
    assert len(await house.said("ActionDue")) == 1


async def test_a_proposal_of_the_day_gives_way_and_the_rest_is_proposed_again(house: House):
    await _a_book(house)
    await house.round(DAY)
    before = {str(one["action_id"]) for one in await house.proposals() if one["client_id"] == "A"}
    await _act(house, _wish("A", "A1", medium="phone"))
    after = [one for one in await house.proposals() if one["client_id"] == "A"]
    assert [str(one["net_amount"]) for one in after] == ["50.0000"]
    assert str(after[0]["action_id"]) not in before


async def test_what_does_not_count_leaves_the_proposal_alone_and_moves_nothing(house: House):
    """Rule 5.5: history only."""
    await _a_book(house)
    await house.round(DAY)
    before = await house.proposals()
    done = await _act(house, _wish("A", "A1", medium="phone", counts=False))
    assert await house.proposals() == before
    called = notify.CallLogged(action_id=done["done"][0], client_id="A", outcome="reached")
    await house.hear(DAY, called)
    (fact,) = await house.said("ActionDone")
    assert fact["body"]["levels"] == []
    assert await house.rows("select 1 from entry_level where company = :company") == []


async def test_what_counts_moves_the_levels_once_it_is_done(house: House):
    await _a_book(house)
    done = await _act(house, _wish("A", "A1", "A2", medium="phone", next_step="R4"))
    called = notify.CallLogged(action_id=done["done"][0], client_id="A", outcome="reached", done_on="2025-03-15")
    await house.hear(DAY, called)
    found = await house.rows("select level, reminded_on, next_step from entry_level where company = :company")
    assert [(one["level"], str(one["reminded_on"]), one["next_step"]) for one in found] == [
        (3, "2025-03-15", "R4")
    ] * 2
    await house.round("2025-03-23")
    assert [one["step"] for one in await house.proposals() if one["client_id"] == "A"] == ["R4"]


async def test_an_open_action_by_hand_stands_whatever_the_rounds_say(house: House):
    """A letter waits for the post for days; its entries are in no other action meanwhile."""
    await _a_book(house)
    done = await _act(house, _wish("A", "A1", "A2", medium="letter", template="R3"))
    await house.round(DAY)
    await house.round("2025-03-25")
    assert [one["client_id"] for one in await house.proposals()] == ["B"]
    open_ones = await house.rows("select action_id, status from action where company = :company and by_hand")
    assert [(str(one["action_id"]), one["status"]) for one in open_ones] == [(done["done"][0], "due")]
    await house.books("2025-03-26", line("A", "A1", 100, "2025-03-10", lettering="Y"))
    await house.round("2025-03-26")
    (gone,) = await house.rows("select status, reason from action where company = :company and by_hand")
    assert gone["status"] == "withdrawn"


async def test_a_stop_that_the_person_has_not_seen_refuses(house: House):
    """Rule 8.16: with the warning seen, it is done."""
    await _a_book(house)
    await house.hear("2025-03-02", ledger.ClientStopped(client_id="A"))
    wish = _wish("A", "A1")
    refused = await _act(house, wish)
    assert refused["refused"] == [{"place": 0, "reason": "reasons-not-accepted", "reasons": ["client_stopped"]}]
    done = await _act(house, {**wish, "accepted_reasons": ["client_stopped"]})
    assert len(done["done"]) == 1
    (due,) = await house.said("ActionDue")
    assert due["body"]["action"]["accepted_reasons"] == ["client_stopped"]


async def test_many_at_once_name_those_that_cannot_be_done(house: House):
    await _a_book(house)
    answer = await _act(house, _wish("A", "A1"), _wish("B", "A1"), _wish("B", "BL"), _wish("B", "B1"))
    assert len(answer["done"]) == 2
    assert [(one["place"], one["reason"]) for one in answer["refused"]] == [
        (1, "entries-unknown"),
        (2, "entries-unknown"),
    ]


async def test_a_thank_you_speaks_of_settled_entries_each_time_anew(house: House):
    await _a_book(house)
    wishes = [_wish("B", "BL", kind="thanks") for _ in range(2)]
    done = await _act(house, *wishes)
    assert len(set(done["done"])) == 2
    held = await house.rows("select occurrence from action_entry where company = :company order by 1")
    assert [one["occurrence"] for one in held] == [1, 2]


async def test_readers_and_other_companies_do_nothing(house: House):
    await _a_book(house)
    body = {"actions": [_wish("A", "A1")], "as_of": DAY}
    async with house.http("reader") as http:
        assert (await http.post("/by-hand", json=body)).status_code == 403
    async with house.http("user", Authorization=f"Bearer {house.token('user', 'another')}") as http:
        assert (await http.post("/by-hand", json=body)).status_code == 404
        assert (await http.post("/by-hand/plan", json=body["actions"][0])).status_code == 404
    assert await house.said("ActionDue") == []
