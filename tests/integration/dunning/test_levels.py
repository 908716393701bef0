"""Levels set by people over HTTP, against the real tables (rule 5.6)."""

from pathlib import Path

from cli.levels import read_levels
from contracts import ledger, notify
from tests.integration.dunning.house import House, client_changed, entry_id, line

DAY = "2025-03-18"


async def _a_book(house: House) -> None:
    await house.hear("2025-03-01", client_changed("A"), client_changed("I", profile="Interne"))
    await house.books(
        "2025-03-01",
        line("A", "A1", 100, "2025-03-10"),
        line("A", "A2", 50, "2025-04-20"),
        line("I", "I1", 70, "2025-03-10"),
    )


async def _level(house: House, piece: str) -> tuple[object, ...]:
    (row,) = await house.rows(
        "select l.level, l.reminded_on, l.next_step from entry_level l where company = :company"
        " and entry_id = :entry",
        entry=entry_id(piece),
    )
    return row["level"], None if row["reminded_on"] is None else str(row["reminded_on"]), row["next_step"]


async def test_the_chosen_step_is_proposed_at_once_where_the_day_is_decided(house: House):
    await _a_book(house)
    await house.round(DAY)
    assert [one["step"] for one in await house.proposals()] == ["R1"]
    async with house.http("user") as http:
        wanted = {"client_id": "A", "entry_id": entry_id("A1"), "next_step": "R3"}
        answer = (await http.post("/levels", json={"levels": [wanted], "as_of": DAY})).json()
        again = (await http.post("/levels", json={"levels": [wanted], "as_of": DAY})).json()
        levels = (await http.get("/levels", params={"client_id": "A"})).json()
    assert (answer["set"], answer["refused"]) == (1, [])
    assert answer["position"].startswith("dunning/")
    assert (again["set"], again["unchanged"], again["position"]) == (0, 1, None)
    assert [one["step"] for one in await house.proposals()] == ["R3"]
    assert levels["level"] == "R2"
    (shown,) = [one for one in levels["entries"] if one["entry_id"] == entry_id("A1")]
    assert (shown["level"], shown["forced_step"], shown["next_step"]) == ("R2", "R3", "R3")


async def test_before_the_round_the_choice_waits_for_it(house: House):
    await _a_book(house)
    async with house.http("user") as http:
        wanted = [
            {"client_id": "A", "piece": "A1", "level": "R1", "reminded_on": "2025-03-10"},
            {"client_id": "A", "piece": "A2", "next_step": "R2"},
        ]
        answer = (await http.post("/levels", json={"levels": wanted, "as_of": DAY})).json()
    assert answer["set"] == 2
    assert await house.proposals() == []
    assert await _level(house, "A1") == (1, "2025-03-10", "R2")
    await house.round(DAY)
    assert [(one["step"], str(one["due_since"])) for one in await house.proposals()] == [("R2", DAY)]


async def test_each_line_that_cannot_be_set_is_named_and_the_others_are_set(house: House):
    """Rule 3.6 for the profile without scenario."""
    await _a_book(house)
    async with house.http("user") as http:
        wanted = [
            {"client_id": "A", "piece": "nobody's", "next_step": "R2"},
            {"client_id": "I", "piece": "I1", "next_step": "R2"},
            {"client_id": "A", "piece": "A1", "next_step": "R7"},
            {"client_id": "A", "piece": "A1", "next_step": "R2", "reminded_on": "2025-03-19"},
            {"client_id": "A", "piece": "A2", "next_step": "R2"},
        ]
        answer = (await http.post("/levels", json={"levels": wanted, "as_of": DAY})).json()
        unclear = await http.post("/levels", json={"levels": [{"client_id": "A", "next_step": "R2"}]})
    assert answer["set"] == 1
    assert answer["refused"] == [
        {"place": 0, "reason": "entry_unknown"},
        {"place": 1, "reason": "no_scenario"},
        {"place": 2, "reason": "step_not_active"},
        {"place": 3, "reason": "reminded_later"},
    ]
    assert unclear.status_code == 422


async def test_a_reminder_done_ends_what_was_forced(house: House):
    await _a_book(house)
    async with house.http("user") as http:
        wanted = {"client_id": "A", "piece": "A1", "next_step": "R2"}
        await http.post("/levels", json={"levels": [wanted], "as_of": DAY})
        await house.round(DAY)
        (proposal,) = await house.proposals()
        await http.post("/confirm", json={"action_ids": [str(proposal["action_id"])], "as_of": DAY})
    called = notify.CallLogged(
        action_id=proposal["action_id"], client_id="A", outcome="reached", done_on="2025-03-17"
    )
    await house.hear(DAY, called)
    assert await _level(house, "A1") == (2, "2025-03-17", None)


async def test_readers_and_other_companies_set_nothing(house: House):
    await _a_book(house)
    body = {"levels": [{"client_id": "A", "piece": "A1", "next_step": "R2"}], "as_of": DAY}
    async with house.http("reader") as http:
        assert (await http.post("/levels", json=body)).status_code == 403
    async with house.http("user", Authorization=f"Bearer {house.token('user', 'another')}") as http:
        assert (await http.post("/levels", json=body)).status_code == 404
    assert await house.said("LevelSet") == []


async def test_the_file_of_an_older_tool_is_carried_over(house: House, tmp_path: Path):
    """Rule 5.6: the proposals go on where the older tool stopped."""
    await _a_book(house)
    file = tmp_path / "reprise.csv"
    file.write_text(
        "Code client;Pièce;Niveau;Dernière relance\nA;A1;R1;10/03/2025\nA;gone;R2;\n", encoding="cp1252"
    )
    lines = read_levels(file)
    async with house.http("user") as http:
        body = {"levels": [one.wanted for one in lines], "as_of": DAY}
        answer = (await http.post("/levels", json=body)).json()
    assert [lines[one["place"]].number for one in answer["refused"]] == [3]
    await house.round(DAY)
    assert [(one["step"], one["medium"]) for one in await house.proposals()] == [("R2", "phone")]


async def test_a_choice_goes_with_a_client_that_takes_another_code(house: House):
    """Rule 5.9."""
    await _a_book(house)
    await house.hear("2025-03-01", client_changed("NEW"))
    async with house.http("user") as http:
        wanted = {"client_id": "A", "piece": "A1", "next_step": "R3"}
        await http.post("/levels", json={"levels": [wanted], "as_of": DAY})
    await house.books(DAY, line("NEW", "N1", 100, "2025-03-10"))
    pairs = ({"entry_id": entry_id("A1"), "into_entry_id": entry_id("N1")},)
    await house.hear(DAY, ledger.ClientMerged(client_id="A", into="NEW", entries=pairs))
    assert await _level(house, "N1") == (2, None, "R3")
