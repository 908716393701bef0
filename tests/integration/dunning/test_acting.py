"""What people see and do over HTTP: tasks, confirmations, ticking back, explanations, the rules themselves."""

from uuid import uuid4

from contracts import ledger
from tests.integration.dunning.house import House, client_changed, entry_id, line

DAY = "2025-03-18"


async def _a_round(house: House) -> None:
    await house.hear(
        "2025-03-01", *(client_changed(name) for name in ("A", "B")), client_changed("L", email=False)
    )
    await house.books(
        "2025-03-01",
        line("A", "A1", 100, "2025-03-10"),
        line("B", "B1", 70, "2025-03-10"),
        line("L", "L1", 30, "2025-03-10"),
    )
    await house.hear("2025-03-02", ledger.ClientStopped(client_id="B"))
    await house.round(DAY)


async def test_the_days_tasks_are_grouped_and_excluded_rows_stay_visible(house: House):
    """Rules 8.1, 9.4."""
    await _a_round(house)
    async with house.http() as http:
        tasks = (await http.get("/tasks", params={"as_of": "2025-03-20"})).json()
    email, letter = tasks["groups"]
    assert (email["medium"], email["step"], email["profile"], email["has_email"]) == (
        "email",
        "R1",
        "Standard",
        True,
    )
    assert (email["delay_days"], email["actions"], email["excluded"]) == (8, 1, 1)
    proposed, excluded = email["rows"]
    assert proposed["ticked"]
    assert (proposed["client_id"], proposed["net_amount"], proposed["days_since"]) == ("A", "100.00", 2)
    assert proposed["entries"][0]["days_late"] == 10
    assert (excluded["client_id"], excluded["ticked"], excluded["action_id"]) == ("B", False, None)
    assert excluded["reasons"] == ["client_stopped"]
    assert excluded["explanations"][0]["rule"] == "8.1"
    assert excluded["can_include"]
    assert (letter["medium"], letter["has_email"], letter["rows"][0]["client_id"]) == ("letter", False, "L")


async def test_a_confirmed_proposal_is_due(house: House):
    await _a_round(house)
    action_ids = [str(row["action_id"]) for row in await house.proposals()]
    async with house.http("user") as http:
        answer = (await http.post("/confirm", json={"action_ids": action_ids, "as_of": DAY})).json()
        again = (await http.post("/confirm", json={"action_ids": action_ids, "as_of": DAY})).json()
        unknown = (await http.post("/confirm", json={"action_ids": [str(uuid4())], "as_of": DAY})).json()
    assert sorted(answer["confirmed"]) == sorted(action_ids)
    assert answer["refused"] == []
    assert answer["position"].startswith("dunning/")
    assert {one["reason"] for one in again["refused"]} == {"due"}
    assert unknown["refused"][0]["reason"] == "unknown"
    assert len(await house.said("ActionDue")) == 2


async def test_a_stop_between_proposal_and_confirmation_is_seen(house: House):
    """Habit 8: looked at again, under lock."""
    await _a_round(house)
    await house.hear(DAY, ledger.ClientStopped(client_id="A"))
    (action_id,) = [str(row["action_id"]) for row in await house.proposals() if row["client_id"] == "A"]
    async with house.http() as http:
        answer = (await http.post("/confirm", json={"action_ids": [action_id], "as_of": DAY})).json()
        explained = (await http.get("/explain", params={"client_id": "A"})).json()["entries"]
    assert answer["confirmed"] == []
    assert answer["refused"] == [{"action_id": action_id, "reason": "client_stopped"}]
    assert await house.said("ActionDue") == []
    assert [one["reason"] for one in (row["body"] for row in await house.said("ActionWithdrawn"))] == [
        "client_stopped"
    ]
    assert explained[0]["reasons"][0]["code"] == "client_stopped"


async def test_a_payment_between_proposal_and_confirmation_gives_a_new_proposal_for_the_rest(house: House):
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"), line("A", "A2", 50, "2025-03-10"))
    await house.round(DAY)
    (before,) = await house.proposals()
    await house.books(DAY, line("A", "A1", 100, "2025-03-10", lettering="X"))
    async with house.http() as http:
        body = {"action_ids": [str(before["action_id"])], "as_of": DAY}
        answer = (await http.post("/confirm", json=body)).json()
    assert answer["refused"][0]["reason"] == "superseded"
    (after,) = await house.proposals()
    assert (str(after["net_amount"]), after["action_id"] != before["action_id"]) == ("50.0000", True)


async def test_an_excluded_row_can_be_ticked_back_and_confirmed(house: House):
    """Rule 8.15; a new stop would take it back again."""
    await _a_round(house)
    async with house.http() as http:
        body = {"client_id": "B", "entry_ids": [entry_id("B1")], "as_of": DAY}
        answer = (await http.post("/include", json=body)).json()
        (action_id,) = answer["proposed"]
        tasks = (await http.get("/tasks", params={"as_of": DAY})).json()
        (row,) = [row for group in tasks["groups"] for row in group["rows"] if row["client_id"] == "B"]
        assert (row["action_id"], row["accepted_reasons"]) == (action_id, ["client_stopped"])
        again = await http.post("/include", json=body)
        assert (again.status_code, again.json()["type"]) == (409, "entry-not-excluded")
        await house.round("2025-03-19")
        confirmed = (await http.post("/confirm", json={"action_ids": [action_id], "as_of": "2025-03-19"})).json()
    assert confirmed["confirmed"] == [action_id]
    (due,) = await house.said("ActionDue")
    assert due["body"]["action"]["accepted_reasons"] == ["client_stopped"]


async def test_nobody_may_ask_for_nothing(house: House):
    """Rule 22.10."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"), line("A", "P", -100, "2025-03-10"))
    await house.round(DAY)
    async with house.http() as http:
        body = {"client_id": "A", "entry_ids": [entry_id("A1"), entry_id("P")], "as_of": DAY}
        refused = await http.post("/include", json=body)
    assert (refused.status_code, refused.json()["type"]) == (409, "reason-not-acceptable")
    assert refused.json()["reason"] == "net_not_positive"


async def test_an_action_can_be_taken_back(house: House):
    await _a_round(house)
    (action_id,) = [str(row["action_id"]) for row in await house.proposals() if row["client_id"] == "A"]
    async with house.http() as http:
        answer = (await http.post("/withdraw", json={"action_ids": [action_id], "as_of": DAY})).json()
        again = (await http.post("/withdraw", json={"action_ids": [action_id], "as_of": DAY})).json()
    assert answer["withdrawn"] == [action_id]
    assert again["refused"][0]["reason"] == "withdrawn"


async def test_every_open_entry_is_explained_in_words(house: House):
    await _a_round(house)
    async with house.http("reader") as http:
        french = (await http.get("/explain", params={"client_id": "B"})).json()["entries"][0]
        english = await http.get("/explain", params={"entry_id": entry_id("A1"), "language": "en"})
        levels = (await http.get("/levels", params={"client_id": "A"})).json()
        nobody = await http.get("/explain")
    assert french["reasons"] == [
        {"code": "client_stopped", "rule": "8.1", "text": "Le client n'est pas à relancer.", "facts": {}}
    ]
    assert english.json()["entries"][0]["reasons"][0]["text"] == (
        "R1 is due since 18 Mar 2025; it was proposed on 18 Mar 2025 and waits for a person."
    )
    assert levels["level"] is None
    assert levels["entries"][0]["status"] == "due"
    assert nobody.status_code == 422


async def test_a_round_over_http(house: House):
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"))
    async with house.http("user") as http:
        assert (await http.get(f"/rounds/{DAY}")).status_code == 404
        asked = await http.post("/rounds", json={"as_of": DAY})
        assert (asked.status_code, asked.json()["opened"]) == (202, True)
        assert (await http.get(f"/rounds/{DAY}")).json()["status"] == "running"
        running = await http.post("/rounds", json={"as_of": "2025-03-19"})
        assert (running.status_code, running.json()["type"]) == (409, "round-still-running")
        await house.round(DAY)
        result = (await http.get(f"/rounds/{DAY}")).json()
        assert {key: result[key] for key in ("status", "clients", "entries", "proposed", "steps", "excluded")} == {
            "status": "completed",
            "clients": 1,
            "entries": 1,
            "proposed": 1,
            "steps": {"R1": 1},
            "excluded": {},
        }
        assert not (await http.post("/rounds", json={"as_of": DAY})).json()["opened"]
        earlier = await http.post("/rounds", json={"as_of": "2025-03-17"})
        assert (earlier.status_code, earlier.json()["type"]) == (409, "round-before-the-last")
        unheard = await http.post("/rounds", json={"as_of": "2025-03-19", "after": {"sync": {"3": 10_000_000}}})
        assert (unheard.status_code, unheard.json()["type"]) == (503, "not-heard-yet")


async def test_an_unknown_company_is_told(house: House):
    house.company = f"{house.company}x"
    async with house.http() as http:
        answer = await http.post("/rounds", json={"as_of": DAY})
        assert (answer.status_code, answer.json()["type"]) == (404, "company-unknown")
        assert (await http.get("/tasks")).status_code == 404


async def test_rules_are_checked_before_they_are_published(house: House):
    async with house.http() as http:
        step = {"step": "R1", "medium": "phone", "delay_days": 5, "counted_from": "previous_step"}
        refused = await http.put("/scenarios", json={"profile": "Own", "with_email": [], "without_email": [step]})
        assert refused.status_code == 422
        assert refused.json()["type"] == "first-reminder-counts-from-previous-step"
        step["counted_from"] = "due_date"
        body = {"profile": "Own", "with_email": [], "without_email": [step]}
        assert (await http.put("/scenarios", json=body)).json()["version"] == 1
        assert (await http.put("/scenarios", json=body)).json() == {
            "position": None,
            "positions": [],
            "version": 1,
        }
        refused = await http.put("/policy", json={"mode": "both"})
        assert (refused.status_code, refused.json()["type"]) == (422, "unknown-grouping")
        assert (await http.put("/policy", json={"colour": "red"})).status_code == 422
        assert (await http.put("/policy", json={"promises_exclude": True})).json()["version"] == 2
    async with house.http("user") as http:
        assert (await http.put("/policy", json={})).status_code == 403
