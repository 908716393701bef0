"""The round of a company and day, on real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import date

from sqlalchemy import text

from chassis.database import transaction
from contracts import ledger, notify
from services.dunning.rounds import Rounds
from tests.integration.dunning.house import House, client_changed, entry_id, line, synced

STANDARD_DAY = "2025-03-18"


async def _three_clients(house: House) -> None:
    await house.hear("2025-03-01", *(client_changed(name) for name in ("A", "B", "C")))
    await house.books(
        "2025-03-01",
        line("A", "A1", 100, "2025-03-10"),
        line("A", "A2", 50, "2025-03-10"),
        line("B", "B1", 70, "2025-03-11"),
        line("C", "C1", 10, "2025-03-10"),
    )
    await house.hear("2025-03-02", ledger.ClientStopped(client_id="C"))


async def test_a_new_company_begins_with_the_delivered_rules(house: House):
    """Rules 4.3, 4.13, 4.18."""
    async with house.http() as http:
        scenarios = (await http.get("/scenarios")).json()["scenarios"]
        policy = (await http.get("/policy")).json()
    assert [one["profile"] for one in scenarios] == ["Export", "Grand Compte", "Standard"]
    assert policy["mode"] == "item"
    await house.hear("2025-01-02", ledger.CompanyRegistered(name="Acme"))
    assert len(await house.said("PolicyChanged", "ScenarioPublished")) == 4


async def test_every_open_entry_has_its_action_its_next_day_or_its_reasons(house: House):
    await _three_clients(house)
    await house.round(STANDARD_DAY)
    assert await house.verdicts() == {
        "A1": ("due", "R1", None, ()),
        "A2": ("due", "R1", None, ()),
        "B1": ("not_due", "R1", date(2025, 3, 19), ()),
        "C1": ("excluded", "R1", None, ("client_stopped",)),
    }
    (proposed,) = await house.said("ActionProposed")
    assert proposed["body"]["action"]["net_amount"] == "150.00"
    (excluded,) = await house.said("ActionExcluded")
    assert excluded["body"]["entries"][0]["reasons"] == ["client_stopped"]
    (completed,) = await house.said("RoundCompleted")
    assert completed["body"] == {
        "round_on": STANDARD_DAY,
        "clients": 3,
        "entries": 4,
        "proposed": 1,
        "due": 0,
        "excluded": 1,
    }


async def test_the_same_round_again_does_nothing(house: House):
    await _three_clients(house)
    await house.round(STANDARD_DAY)
    before = await house.said()
    assert not await house.open_round(STANDARD_DAY)
    await house.rounds().run(house.company, date.fromisoformat(STANDARD_DAY))
    assert await house.said() == before


async def test_only_those_whose_day_has_come_or_who_changed_are_looked_at(house: House):
    await _three_clients(house)
    await house.round(STANDARD_DAY)
    await house.round("2025-03-19")
    (_, second) = await house.said("RoundCompleted")
    assert second["body"]["clients"] == 1
    assert (await house.verdicts())["B1"][0] == "due"
    await house.hear("2025-03-20", ledger.ClientResumed(client_id="C"))
    await house.round("2025-03-20")
    assert (await house.verdicts())["C1"][0] == "due"
    (_, no_more) = await house.said("ActionExcluded")
    assert no_more["body"]["entries"][0]["reasons"] == []


async def test_a_change_heard_while_its_client_is_decided_is_not_lost(house: House):
    """The mark waits for the deciding transaction."""
    await _three_clients(house)
    await house.round(STANDARD_DAY)
    await house.books("2025-03-19", line("A", "A1", 100, "2025-03-10", lettering="X"))
    marked = await house.rows("select client_id from schedule where company = :company and next_on = '0001-01-01'")
    assert [row["client_id"] for row in marked] == ["A"]


async def test_no_line_sleeps_through_what_the_version_before_applied(house: House):
    """Its pods, which go on beside those of this one for a while, name no lines when they mark a client."""
    await house.hear("2025-03-01", client_changed("B"))
    await house.books("2025-03-01", line("B", "B1", 70, "2025-04-11"), line("B", "B2", 70, "2025-03-10"))
    await house.round(STANDARD_DAY)
    async with transaction(house.process.engine) as tx:
        await tx.execute(text("update entry set due_date = '2025-03-10' where piece = 'B1'"))
        await tx.execute(text("update schedule set next_on = '-infinity' where next_on <> '-infinity'"))
    await house.round("2025-03-19")
    assert (await house.verdicts())["B1"][0] == "due"


async def test_concurrent_workers_on_one_round_are_harmless(house: House):
    await house.hear("2025-03-01", *(client_changed(f"K{number}") for number in range(60)))
    await house.books("2025-03-01", *(line(f"K{number}", f"F{number}", 100, "2025-03-10") for number in range(60)))
    await house.open_round(STANDARD_DAY)
    as_of = date.fromisoformat(STANDARD_DAY)
    await asyncio.gather(*(house.rounds(chunk_entries=5).run(house.company, as_of) for _ in range(3)))
    assert len(await house.said("ActionProposed")) == 60
    assert len(await house.said("RoundCompleted")) == 1


async def test_a_round_is_left_to_the_version_that_made_the_rows(house: House):
    """A release that waits for a switch, or one that a switch has overtaken, decides nothing about these rows."""
    await _three_clients(house)
    async with transaction(house.process.engine) as tx:
        await tx.execute(text("update derivation set version = 1"))
    await house.open_round(STANDARD_DAY)
    kept = "select client_id, next_on::text, touched from schedule where company = :company order by 1"
    before, said = await house.rows(kept), await house.said()
    other = Rounds(house.process.engine, lambda tx: replace(house.process.say(tx), version=2))
    await other.run(house.company, date.fromisoformat(STANDARD_DAY))
    assert await house.said() == said
    assert await house.rows(kept) == before, "nobody counts as looked at"
    await house.rounds().run(house.company, date.fromisoformat(STANDARD_DAY))
    assert len(await house.said("RoundCompleted")) == 1


async def test_a_client_that_cannot_be_decided_stops_nobody(house: House, monkeypatch):
    """Habit 17."""
    from services.dunning import rounds

    await _three_clients(house)
    real = rounds.decide

    def sometimes(client, policy, scenario, as_of, since):
        if client.client_id == "A":
            raise ZeroDivisionError("no such day")
        return real(client, policy, scenario, as_of, since)

    monkeypatch.setattr(rounds, "decide", sometimes)
    await house.round(STANDARD_DAY)
    async with house.http() as http:
        result = (await http.get(f"/rounds/{STANDARD_DAY}")).json()
    assert result["status"] == "completed"
    assert result["failed"] == [{"client_id": "A", "reason": "ZeroDivisionError: no such day"}]
    monkeypatch.undo()
    await house.round("2025-03-19")
    assert (await house.verdicts())["A1"][0] == "due"


async def test_an_automatic_step_is_due_at_once_and_done_when_the_mail_has_left(house: House):
    """Rules 4.15, 5.3, 8.17, 22.16."""
    step = {"step": "R1", "medium": "email", "delay_days": 8, "mode": "automatic", "template": "R1"}
    async with house.http() as http:
        body = {"profile": "Standard", "with_email": [step], "without_email": []}
        assert (await http.put("/scenarios", json=body)).status_code == 200
        assert (await http.put("/policy", json={"automatic_from": "2025-01-01"})).status_code == 200
    await _three_clients(house)
    await house.hear(STANDARD_DAY, synced())
    await house.round(STANDARD_DAY)
    (due,) = await house.said("ActionDue")
    action = due["body"]["action"]["action_id"]
    failed = notify.EmailFailed(action_id=action, client_id="A", message_id="m", reason="refused")
    await house.hear(STANDARD_DAY, failed)
    await house.round("2025-03-19")
    (_, again) = [one["body"]["action"] for one in await house.said("ActionDue") if one["client_id"] == "A"]
    assert again["action_id"] != action
    sent = notify.EmailSent(
        action_id=again["action_id"], client_id="A", message_id="m", sent_at="2025-03-19T08:00:00Z"
    )
    await house.hear("2025-03-19", sent)
    (done,) = await house.said("ActionDone")
    moved = ("entry_id", "level_before", "level_after")
    assert [{name: move[name] for name in moved} for move in done["body"]["levels"]] == [
        {"entry_id": one, "level_before": None, "level_after": "R1"}
        for one in sorted((entry_id("A1"), entry_id("A2")))
    ]
    await house.round("2025-03-20")
    assert (await house.verdicts())["A1"] == ("no_step", None, None, ("exhausted",))
    assert len(await house.said("DunningExhausted")) == 2
    await house.hear("2025-03-21", client_changed("A", profile="Standard"))
    await house.round("2025-03-21")
    assert len(await house.said("DunningExhausted")) == 2


async def test_a_withheld_message_reopens_its_step(house: House):
    await _three_clients(house)
    await house.round(STANDARD_DAY)
    (proposed,) = await house.proposals()
    withheld = notify.MessageWithheld(action_id=proposed["action_id"], client_id="A", reason="client_stopped")
    await house.hear(STANDARD_DAY, withheld)
    (withdrawn,) = await house.said("ActionWithdrawn")
    assert withdrawn["body"]["reason"] == "client_stopped"


async def test_a_policy_that_changed_has_everybody_looked_at_again(house: House):
    await _three_clients(house)
    await house.round(STANDARD_DAY)
    async with house.http() as http:
        await http.put("/policy", json={"minimum_per_reminder": "1000"})
    await house.round("2025-03-19")
    verdicts = await house.verdicts()
    assert verdicts["A1"] == ("excluded", "R1", None, ("below_minimum",))
    assert verdicts["C1"] == ("excluded", "R1", None, ("below_minimum", "client_stopped"))
    (withdrawn,) = await house.said("ActionWithdrawn")
    assert withdrawn["body"]["reason"] == "below_minimum"


async def _looked_at(house: House) -> int:
    return (await house.said("RoundCompleted"))[-1]["body"]["entries"]


async def test_a_line_that_sleeps_is_not_looked_at_with_its_client(house: House):
    """Of three lines one comes on the 18th, one is paid on the 20th, one sleeps until April."""
    await house.hear("2025-03-01", client_changed("A"))
    lines = (("A1", "2025-03-10"), ("A2", "2025-03-14"), ("A3", "2025-04-14"))
    await house.books("2025-03-01", *(line("A", name, 100, due) for name, due in lines))
    await house.round("2025-03-17")
    assert await _looked_at(house) == 3
    await house.round(STANDARD_DAY)
    assert await _looked_at(house) == 1
    assert (await house.verdicts())["A1"] == ("due", "R1", None, ())
    await house.books("2025-03-20", line("A", "A2", 100, "2025-03-14", lettering="X"))
    await house.round("2025-03-20")
    assert await _looked_at(house) == 1
    assert set(await house.verdicts()) == {"A1", "A3"}
    assert (await house.verdicts())["A3"] == ("not_due", "notice", date(2025, 4, 6), ())


async def test_what_sleeps_counts_for_the_balance_of_its_client(house: House):
    """Rule 8.7: a credit of a thousand that sleeps puts the client in credit."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"), line("A", "A2", -1000, "2025-05-10"))
    await house.round("2025-03-02")
    await house.round(STANDARD_DAY)
    assert await _looked_at(house) == 1
    assert (await house.verdicts())["A1"] == ("excluded", "R1", None, ("creditor_client",))


async def test_a_fact_about_the_whole_client_wakes_every_line(house: House):
    """Rule 4.2: the address goes, and with it the notice of a line that slept."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"), line("A", "A2", 100, "2025-05-10"))
    await house.round("2025-03-02")
    await house.hear("2025-03-03", client_changed("A", email=False))
    await house.round("2025-03-03")
    assert await _looked_at(house) == 2
    assert (await house.verdicts())["A2"] == ("not_due", "R1", date(2025, 5, 18), ())


async def test_a_level_that_moved_wakes_its_line(house: House):
    """Rule 5.6: a person chooses the next step of a line that slept."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-01"), line("A", "A2", 100, "2025-05-10"))
    await house.round("2025-03-02")
    async with house.http() as http:
        wanted = {"client_id": "A", "entry_id": entry_id("A2"), "next_step": "R2"}
        await http.post("/levels", json={"levels": [wanted], "as_of": "2025-03-03"})
    await house.round("2025-03-03")
    assert (await house.verdicts())["A2"][:2] == ("not_due", "R2")


async def test_a_line_that_is_excluded_for_itself_sleeps_until_its_reason_ends(house: House):
    """Rules 8.1, 8.2: A1 is stopped until the 21st; A2 is paid before, and A1 is not looked at again for that."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"), line("A", "A2", 100, "2025-03-30"))
    stopped = ledger.EntryStopped(client_id="A", entry_id=entry_id("A1"), resumes_on=date(2025, 3, 21))
    await house.hear("2025-03-01", stopped)
    await house.round(STANDARD_DAY)
    excluded = ("excluded", "R1", None, ("entry_stopped",))
    assert (await house.verdicts())["A1"] == excluded
    await house.books("2025-03-19", line("A", "A2", 100, "2025-03-30", lettering="X"))
    await house.round("2025-03-19")
    await house.round("2025-03-20")
    assert await _looked_at(house) == 0
    assert await house.verdicts() == {"A1": excluded}
    await house.round("2025-03-21")
    assert await _looked_at(house) == 1
    assert (await house.verdicts())["A1"] == ("due", "R1", None, ())
    assert len(await house.said("ActionExcluded")) == 2


async def test_what_begins_to_speak_against_a_client_is_said_of_lines_that_sleep(house: House):
    """Rule 8.7: a credit comes, larger than what is owed, and the line that was stopped is excluded for both."""
    await house.hear("2025-03-01", client_changed("A"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"))
    await house.hear("2025-03-01", ledger.EntryStopped(client_id="A", entry_id=entry_id("A1")))
    await house.round(STANDARD_DAY)
    await house.books("2025-03-19", line("A", "A2", -300, "2025-05-10"))
    await house.round("2025-03-19")
    assert (await house.verdicts())["A1"][3] == ("creditor_client", "entry_stopped")
    await house.books("2025-03-20", line("A", "A2", -300, "2025-05-10", lettering="X"))
    await house.round("2025-03-20")
    assert (await house.verdicts())["A1"][3] == ("entry_stopped",)
