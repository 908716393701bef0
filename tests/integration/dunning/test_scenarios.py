"""Scenarios over HTTP: versions, trying out, carrying to another company, and real rounds before and after."""

import pytest

from chassis.embedded import Stack
from contracts import notify
from tests.integration.dunning.house import House, client_changed, line, new_company

R1 = {"step": "R1", "medium": "phone", "delay_days": 8}
R2 = {"step": "R2", "medium": "phone", "delay_days": 8, "counted_from": "previous_step"}
THANKS = {
    "step": "thanks",
    "medium": "letter",
    "delay_days": 3,
    "counted_from": "payment_date",
    "template": "thanks",
}


def body(*steps: dict[str, object], **options: object) -> dict[str, object]:
    return {"profile": "Standard", "with_email": list(steps), "without_email": list(steps), **options}


async def publish(house: House, wanted: dict[str, object], as_of: str = "2025-03-01") -> int:
    async with house.http(**{"Relance-As-Of": as_of}) as http:
        answer = await http.put("/scenarios", json=wanted)
    assert answer.status_code == 200, answer.text
    version: int = answer.json()["version"]
    return version


async def test_entries_keep_their_place_when_a_scenario_changes(house: House):
    """F1 was at R1 and waited for R2 on 26 March; the new version brings R2 four days after R1."""
    async with house.http() as http:
        assert (await http.put("/policy", json={"contact_gap_days": 0})).status_code == 200
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "F1", 100, "2025-03-10"), line("A", "F2", 100, "2025-03-14"))
    assert await publish(house, body(R1, R2)) == 2
    await house.round("2025-03-18")
    (proposal,) = await house.proposals()
    called = notify.CallLogged(action_id=proposal["action_id"], client_id="A", outcome="reached")
    await house.hear("2025-03-18", called)
    await house.round("2025-03-19")
    before = await house.verdicts()
    assert before["F1"][:3] == ("not_due", "R2", before["F1"][2])
    assert str(before["F1"][2]) == "2025-03-26"
    assert await publish(house, body(R1, R2 | {"delay_days": 4}), "2025-03-19") == 3
    await house.round("2025-03-20")
    after = await house.verdicts()
    assert (after["F1"][0], after["F1"][1], str(after["F1"][2])) == ("not_due", "R2", "2025-03-22")
    assert (after["F2"][0], after["F2"][1], str(after["F2"][2])) == ("not_due", "R1", "2025-03-22")
    (level,) = await house.rows(
        "select level, reminded_on from entry_level where company = :company and level > 0"
    )
    assert (level["level"], str(level["reminded_on"])) == (1, "2025-03-18")
    await house.round("2025-03-22")
    assert {row["step"] for row in await house.proposals()} == {"R1", "R2"}


async def test_every_version_can_be_read_with_what_it_changed(house: House):
    await publish(house, body(R1, R2))
    await publish(house, body(R1, R2 | {"delay_days": 4}), "2025-04-01")
    await publish(house, body(R1, R2 | {"delay_days": 4}), "2025-05-01")  # the same: no version
    async with house.http() as http:
        found = (await http.get("/scenarios/versions", params={"profile": "Standard"})).json()["versions"]
    assert [one["version"] for one in found] == [3, 2, 1]
    assert (found[0]["set_on"], found[0]["actor"]) == ("2025-04-01", "user:test")
    changed = {"step": "R2", "field": "delay_days", "before": 8, "after": 4}
    assert found[0]["changes"] == [
        {"variant": "with_email", **changed},
        {"variant": "without_email", **changed},
    ]
    assert found[2]["changes"] == []
    assert len(found[2]["scenario"]["with_email"]) == 6


async def test_the_day_of_the_thank_you_stays_while_it_is_on(house: House):
    """Rules 12.3, 12.5."""

    async def since() -> object:
        async with house.http() as http:
            scenarios = (await http.get("/scenarios")).json()["scenarios"]
        return next(one["thanks_since"] for one in scenarios if one["profile"] == "Standard")

    await publish(house, body(R1), "2025-03-01")
    assert await since() is None
    await publish(house, body(R1, THANKS), "2025-03-05")
    await publish(house, body(R1 | {"delay_days": 9}, THANKS), "2025-04-05")
    assert await since() == "2025-03-05"
    await publish(house, body(R1, THANKS | {"enabled": False}), "2025-04-06")
    assert await since() is None
    await publish(house, body(R1, THANKS), "2025-05-01")
    assert await since() == "2025-05-01"


async def test_everything_that_is_wrong_is_said_at_once_in_both_languages(house: House):
    wrong = body(R1 | {"counted_from": "previous_step"}, R2 | {"delay_days": -1})
    wrong["without_email"] = [R1 | {"medium": "email", "template": "R1"}]
    async with house.http() as http:
        answer = await http.put("/scenarios", json=wrong)
        versions = (await http.get("/scenarios/versions", params={"profile": "Standard"})).json()["versions"]
    assert answer.status_code == 422
    problems = answer.json()["problems"]
    assert [(one["code"], one["variant"], one["step"], one["field"]) for one in problems] == [
        ("delay-out-of-range", "with_email", "R2", "delay_days"),
        ("first-reminder-counts-from-previous-step", "with_email", "R1", "counted_from"),
        ("email-step-for-clients-without-email", "without_email", "R1", "medium"),
    ]
    assert problems[1]["why"] == {
        "fr": "R1 est la première relance active ; aucune étape ne la précède.",
        "en": "R1 is the first active reminder; no step before it can be counted from.",
    }
    assert all(one["remedy"]["fr"].endswith(".") for one in problems)
    assert len(versions) == 1


async def test_a_scenario_is_tried_on_an_invoice_before_it_is_published(house: House):
    async with house.http() as http:
        await http.put("/policy", json={"calendar": {"weekdays": [1, 2, 3, 4, 5], "skip_holidays": True}})
        tried = {
            "scenario": body(R1, R2 | {"from_end_of_month": True}, THANKS),
            "invoice_date": "2026-03-01",
            "due_date": "2026-03-28",
        }
        answer = (await http.post("/scenarios/check", json=tried)).json()
        assert answer["possible"] is True
        stops = [
            (one["step"], one["on"], one["moved_from"], one["days_late"])
            for one in answer["timeline"]["with_email"]
        ]
        # the fifth of April is a Sunday, the sixth Easter Monday; 30 April + 8 is 8 May, a holiday
        assert stops == [("R1", "2026-04-07", "2026-04-05", 10), ("R2", "2026-05-11", "2026-05-08", 44)]
        assert answer["version"] == 2
        assert {(one["step"], one["field"]) for one in answer["changes"]} >= {("notice", None), ("thanks", None)}
        tried["scenario"] = body(R2)
        broken = (await http.post("/scenarios/check", json=tried)).json()
        assert (broken["possible"], broken["timeline"]) == (False, {"with_email": None, "without_email": None})
        known = (await http.get("/calendar", params={"days": 30}, headers={"Relance-As-Of": "2026-04-01"})).json()
    assert known["holidays"] == ["2026-04-06", "2026-05-01"]
    assert known["open_days"][:4] == ["2026-04-01", "2026-04-02", "2026-04-03", "2026-04-07"]


async def test_scenarios_go_from_one_company_to_another(house: House, stack: Stack):
    copies = ["0b0c7a52-2a7e-4c07-9f3e-6f1d7f0f5c11"]
    mail = {"step": "R1", "medium": "email", "delay_days": 5, "template": "own_text"}
    await publish(house, body(R1) | {"with_email": [mail | {"copies": copies}]})
    other = await House.on(stack, new_company()).registered()
    try:
        async with house.http() as http:
            exported = (await http.get("/scenarios/export", params={"profile": "Standard"})).json()
        assert exported["format"] == "relance.scenarios"
        assert "copies" not in exported["scenarios"][0]["with_email"][0]
        async with other.http() as http:
            dry = (await http.post("/scenarios/import", json=exported, params={"dry_run": True})).json()
            assert dry["imported"][0]["version"] == 2
            assert dry["imported"][0]["changes"] != []
            assert dry["templates"] == [{"medium": "email", "template": "own_text"}]
            assert (await http.post("/scenarios/import", json=exported)).status_code == 200
            again = (await http.post("/scenarios/import", json=exported)).json()
            assert again["imported"] == [{"profile": "Standard", "version": 2, "changes": []}]
        async with house.http() as http:  # into the company itself: the copies stay as they are there
            again = (await http.post("/scenarios/import", json=exported)).json()
            assert again["imported"] == [{"profile": "Standard", "version": 2, "changes": []}]
            exported["scenarios"][0]["with_email"][0]["delay_dayz"] = 5
            unknown = await http.post("/scenarios/import", json=exported)
            assert unknown.status_code == 422
            found = {error["where"]: error["type"] for error in unknown.json()["errors"]}
            assert found["body.scenarios.0.with_email.0.delay_dayz"] == "extra_forbidden"
            del exported["scenarios"][0]["with_email"][0]["delay_dayz"]
            twice = await http.post("/scenarios/import", json=exported | {"scenarios": exported["scenarios"] * 2})
            assert (twice.status_code, twice.json()["profiles"]) == (422, ["Standard"])
    finally:
        await other.process.stop()


@pytest.mark.parametrize("role", ["reader", "user"])
async def test_only_administrators_change_scenarios(house: House, role: str):
    """Rule 15.3."""
    async with house.http(role) as http:
        assert (await http.put("/scenarios", json=body(R1))).status_code == 403
        refused = await http.post("/scenarios/import", json={"scenarios": [body(R1)]})
        assert refused.status_code == 403
        assert (await http.get("/scenarios")).status_code == 200
