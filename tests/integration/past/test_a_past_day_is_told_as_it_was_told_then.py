"""Time travel: a story of one client through dated days, every service running.

What is told of a past day (explanation in both languages, history, statement) equals what was told at its end,
also once dunning's tables were rebuilt and its process started again; and the statement equals the one that
reporting, which keeps tables, showed on the day itself.
"""

import asyncio
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from cli.places import ROOT
from cli.stack import RunningStack
from tests.integration.past.life import CLIENT, Life, begin, entry_id, line

D0 = date(2025, 3, 1)


@pytest.fixture(scope="module")
async def life(houses: RunningStack) -> Life:  # noqa: PLR0912 - a case per day
    lived = await begin(houses, "pastlife", D0)
    promised: dict[str, str] = {}
    disputed: dict[str, str] = {}
    await lived.books(
        line(CLIENT, "F1", 1000, "2025-03-10"),
        line(CLIENT, "F2", 500, "2025-03-12"),
        line(CLIENT, "F3", 40, "2025-03-08"),
        line(CLIENT, "F4", 300, "2025-03-19"),
        line(CLIENT, "P", -200, "2025-03-11"),
    )
    for number in range(32):
        lived.on = D0 + timedelta(days=number)
        match lived.on.day if lived.on.month == 3 else lived.on.day + 31:
            case 14:
                promise = {"amount": "500", "promised_on": "2025-03-20", "entry_id": entry_id("F2")}
                promised |= await lived.tell("record-promise", **promise)
            case 17:
                await lived.tell("stop-client", resumes_on="2025-03-22")
            case 18:
                await lived.books(line(CLIENT, "P2", -1000, "2025-03-18"))
                await lived.changed("F1", "P2", lettering="A")
            case 19:
                disputed |= await lived.tell("open-dispute", reason="price", entry_id=entry_id("F2"))
            case 21:
                await lived.tell("stop-entry", entry_id=entry_id("F4"))
            case 23:
                await lived.changed("F1", "P2", lettering=None)
            case 24:
                await lived.tell("close-dispute", dispute_id=disputed["dispute_id"])
                await lived.tell("reposition-entry", entry_id=entry_id("F2"), expected_on="2025-04-30")
            case 26:
                await lived.changed("P2", lettering="B")
            case 27:
                await lived.tell("cancel-promise", promise_id=promised["promise_id"])
                await lived.changed("F4", due_date=date(2025, 3, 20))
                await lived.tell("resume-entry", entry_id=entry_id("F4"))
            case 28:
                await lived.ask("dunning", "PUT", "/policy", json={"minimum_per_entry": "30"})
            case 29:
                await lived.changed("F3", removed=True)
            case 31:
                await lived.ask("dunning", "PUT", "/policy", json={"mode": "account", "netting": "account"})
        if number % 3:
            await lived.round()
        if number % 5 == 4:
            await lived.carry_out()
        await lived.evening()
    return lived


def _without_the_watch(told: dict[str, Any]) -> dict[str, Any]:
    """Without the day on which it is read, and what makes the same of a day gone by."""
    parts = {}
    for language in ("fr", "en"):
        answer = {key: value for key, value in told[language].items() if key not in {"today", "view"}}
        parts[language] = answer
    return {**parts, "statement": told["statement"]}


async def _compare(life: Life) -> None:
    for on, then in life.days.items():
        now = await life.explained(on)
        assert now["fr"]["view"] == ("now" if on == life.on else "past")
        for part, value in _without_the_watch(then).items():
            assert _without_the_watch(now)[part] == value, (on, part)


async def test_every_past_day_is_told_as_it_was_told_on_it(life: Life) -> None:
    await _compare(life)


async def test_the_story_was_worth_telling(life: Life) -> None:
    statuses = {entry["status"] for told in life.days.values() for entry in told["fr"]["entries"]}
    assert statuses == {"due", "not_due", "excluded"}, "the story is worth telling"
    reasons = {
        reason["code"]
        for told in life.days.values()
        for entry in told["fr"]["entries"]
        for reason in entry["reasons"]
    }
    assert reasons >= {"promise_ahead", "client_stopped", "entry_stopped", "disputed", "below_entry_minimum"}
    levels = [told["fr"]["client"]["level"] for told in life.days.values()]
    assert levels[0] is None
    assert max(level or "" for level in levels) >= "R2"


async def test_the_statement_of_each_day_is_the_one_that_reporting_showed(life: Life) -> None:
    """Reporting keeps tables and asks nobody: another way to the same figures."""
    for on, told in life.days.items():
        page, mine = told["page"]["statement"], (await life.explained(on))["statement"]
        shown = {one["entry_id"]: one for one in page["entries"]}
        assert shown.keys() == {one["entry_id"] for one in mine["entries"]}, on
        assert [Decimal(page[key]) for key in ("debit", "credit", "balance")] == [
            Decimal(mine[key]) for key in ("debit", "credit", "balance")
        ], on
        for one in mine["entries"]:
            other = shown[one["entry_id"]]
            for key in one.keys() & other.keys() - {"promises", "debit", "credit", "book_amount", "excluded"}:
                assert one[key] == other[key], (on, one["piece"], key)
            assert [Decimal(one[key]) for key in ("debit", "credit")] == [
                Decimal(other[key]) for key in ("debit", "credit")
            ]
            assert [promise["promise_id"] for promise in one["promises"]] == [
                promise["promise_id"] for promise in other["promises"]
            ]
        assert mine["level"] == told["page"]["level"], on


async def test_what_was_foretold_came_when_nothing_changed(life: Life) -> None:
    """On the eve of the first reminder: its day is named, and it comes."""
    eve = life.days[date(2025, 3, 12)]["en"]["entries"]
    (first,) = [entry for entry in eve if entry["piece"] == "F1"]
    assert first["next"]["on"] == "2025-03-13"
    assert first["next"]["text"] == "If nothing changes, R1 is due on 13 Mar 2025."
    (then,) = [entry for entry in life.days[date(2025, 3, 13)]["en"]["entries"] if entry["piece"] == "F1"]
    assert (then["status"], then["step"]) == ("due", "R1")
    counted = [rule["text"] for rule in then["rules"] if rule["code"] == "due_date"]
    assert counted == ["R1 comes 3 days after the due date, 10 Mar 2025: 13 Mar 2025."]


async def test_before_the_first_day_nothing_was_known(life: Life) -> None:
    eve = await life.ask(
        "dunning", "GET", "/explain", params={"client_id": CLIENT, "as_of": str(D0 - timedelta(days=1))}
    )
    assert (eve["known"], eve["entries"]) == (False, [])
    statement = await life.ask(
        "dunning", "GET", "/statement", params={"client_id": CLIENT, "as_of": str(D0 - timedelta(days=1))}
    )
    assert (statement["known"], statement["entries"]) == (False, [])


async def test_a_fact_told_late_counts_from_the_day_it_was_told(life: Life) -> None:
    """A payment dated the 18th that accounting gives on the 5th of April changes no day before."""
    life.on = date(2025, 4, 5)
    before = await life.explained(date(2025, 3, 20))
    await life.books(line(CLIENT, "P3", -100, "2025-03-18"))
    await life.settled()
    after = await life.explained(date(2025, 3, 20))
    assert _without_the_watch(after) == _without_the_watch(before)
    pieces = {one["piece"] for one in (await life.explained())["statement"]["entries"]}
    assert "P3" in pieces


async def test_after_a_replay_and_a_new_start_it_is_the_same(life: Life, houses: RunningStack) -> None:
    rebuilt = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.dunning", "rebuild"],
        env={**os.environ, **houses.embedded.environment("dunning"), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert json.loads(rebuilt.stdout)["equal"], rebuilt.stdout
    houses.children["dunning"].kill()
    houses.mend()
    for _ in range(100):
        try:
            await life.explained()
        except httpx.HTTPError:
            await asyncio.sleep(0.2)
        else:
            break
    life.days.popitem()  # the last day was lived, not past
    await _compare(life)
