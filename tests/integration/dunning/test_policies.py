"""What a policy adds, on real PostgreSQL: over HTTP, in the day's tasks, through a merge, replayed from zero."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from chassis.database import transaction
from chassis.delivered import Cause, Delivered
from chassis.listening import project_all
from contracts import dunning, ledger, notify
from services.dunning.projection import PROJECT
from services.dunning.tables import DERIVED
from tests.integration.dunning.house import House, client_changed, entry_id, line, scenario, synced

DAY = "2025-03-18"
NAMED = [{"client_id": "A", "entry_id": entry_id("A1")}, {"client_id": "B", "entry_id": entry_id("B1")}]
AUTOMATIC = {"step": "R1", "medium": "email", "delay_days": 8, "mode": "automatic", "template": "R1"}
CALL = {"step": "R1", "medium": "phone", "delay_days": 8}


async def _two_clients(house: House, *steps: dict[str, Any], **policy: object) -> None:
    async with house.http() as http:
        assert (await http.put("/scenarios", json=scenario(*steps))).status_code == 200
        assert (await http.put("/policy", json=policy)).status_code == 200
    await house.hear("2025-03-01", client_changed("A"), client_changed("B"))
    await house.books("2025-03-01", line("A", "A1", 100, "2025-03-10"), line("B", "B1", 70, "2025-03-10"))


async def test_a_new_company_waits_five_days_between_contacts_and_sends_nothing_by_itself(house: House):
    """Rules 4.18, 22.7, 22.13."""
    async with house.http() as http:
        policy = (await http.get("/policy")).json()
    assert (policy["contact_gap_days"], policy["automatic_from"], policy["stale_after_days"]) == (5, None, 1)


async def test_options_that_cannot_work_are_refused_by_name(house: House):
    async with house.http() as http:
        for body, refusal in (
            ({"contact_gap_days": -1}, "days-out-of-range"),
            ({"stale_after_days": 366}, "days-out-of-range"),
            ({"tolerance_days": 366}, "days-out-of-range"),
            ({"tolerance_amount": "-1"}, "negative-threshold"),
            ({"minimum_per_reminder": "20", "maximum_per_reminder": "10"}, "minimum-above-maximum"),
        ):
            refused = await http.put("/policy", json=body)
            assert (refused.status_code, refused.json()["type"]) == (422, refusal)


async def test_a_client_has_a_policy_of_its_own(house: House):
    """Rules 22.26, 22.27: only administrators say so; saying it again says nothing."""
    await _two_clients(house, CALL)
    async with house.http() as http:
        refused = await http.put("/client-policy", json={"client_id": "A", "profile": "Nobody"})
        assert (refused.status_code, refused.json()["type"]) == (422, "profile-without-scenario")
        assert (await http.put("/client-policy", json={"client_id": "A", "never": True})).status_code == 200
        again = await http.put("/client-policy", json={"client_id": "A", "never": True})
        assert again.json()["positions"] == []
        own = {"client_id": "B", "tolerance_days": 8, "tolerance_amount": "20.50", "profile": "Export"}
        assert (await http.put("/client-policy", json=own)).status_code == 200
        found = (await http.get("/client-policies")).json()["clients"]
        assert [one["client_id"] for one in found] == ["A", "B"]
        assert found[1] == own | {"never": False}
    async with house.http("user") as http:
        assert (await http.put("/client-policy", json={"client_id": "A"})).status_code == 403
    await house.round(DAY)
    verdicts = await house.verdicts()
    assert verdicts["A1"] == ("no_step", None, None, ("never_reminded",))
    assert verdicts["B1"] == (
        "excluded",
        "R1",
        None,
        ("within_tolerance_amount", "within_tolerance_days"),
    )
    async with house.http() as http:
        await http.put("/client-policy", json={"client_id": "A"})
        assert [one["client_id"] for one in (await http.get("/client-policies")).json()["clients"]] == ["B"]
    await house.round("2025-03-19")
    assert (await house.verdicts())["A1"][0] == "due"
    proposed = {one["client_id"]: one["body"]["action"]["profile"] for one in await house.said("ActionProposed")}
    assert proposed == {"A": "Standard", "B": "Export"}


async def test_entries_are_opted_in_and_out_in_bulk(house: House):
    """Rules 22.13, 22.28."""
    await _two_clients(house, AUTOMATIC)
    unknown = {"client_id": "A", "entry_id": entry_id("nothing")}
    async with house.http("user") as http:
        wanted = {"automatic": True, "entries": [*NAMED, unknown]}
        answer = (await http.put("/automatic", json=wanted)).json()
        assert (answer["chosen"], answer["unknown"]) == (2, [unknown["entry_id"]])
        again = (await http.put("/automatic", json=wanted)).json()
        assert (again["chosen"], again["positions"]) == (0, [])
        out = {"automatic": False, "entries": NAMED[1:]}
        assert (await http.put("/automatic", json=out)).json()["chosen"] == 1
        levels = (await http.get("/levels", params={"client_id": "B"})).json()
        assert levels["entries"][0]["automatic"] is False
    async with house.http("reader") as http:
        assert (await http.put("/automatic", json=out)).status_code == 403
    await house.hear(DAY, synced())
    await house.round(DAY)
    assert [one["client_id"] for one in await house.said("ActionDue")] == ["A"]
    assert [one["client_id"] for one in await house.said("ActionProposed")] == ["B"]


async def test_what_waits_for_a_synchronisation_leaves_with_the_first_round_after_it(house: House):
    """Rule 2.6."""
    await _two_clients(house, AUTOMATIC, automatic_from="2025-01-01")
    await house.hear("2025-03-16", synced())
    await house.round(DAY)
    assert (await house.verdicts())["A1"] == ("excluded", "R1", None, ("stale_data",))
    assert await house.said("ActionDue", "ActionProposed") == []
    await house.hear("2025-03-19", synced())
    await house.round("2025-03-19")
    assert len(await house.said("ActionDue")) == 2


async def test_clients_in_credit_are_listed_with_their_reason_or_hidden(house: House):
    """Rules 8.7, 22.3."""
    await _two_clients(house, CALL)
    await house.books("2025-03-02", line("A", "A2", -500, "2025-06-30"))
    await house.round(DAY)
    async with house.http() as http:
        (group,) = (await http.get("/tasks", params={"as_of": DAY})).json()["groups"]
        shown = {row["client_id"]: row for row in group["rows"]}
        assert shown["A"]["reasons"] == ["creditor_client"]
        assert shown["A"]["can_include"]
        assert not shown["A"]["ticked"]
        await http.put("/policy", json={"creditors_hidden": True})
        (group,) = (await http.get("/tasks", params={"as_of": DAY})).json()["groups"]
        assert [row["client_id"] for row in group["rows"]] == ["B"]
        explained = (await http.get("/explain", params={"client_id": "A"})).json()["entries"]
        assert "creditor_client" in str(explained), "hidden from the list, never from who asks why"


async def test_a_step_that_is_put_off_stays_in_the_days_tasks_with_its_date(house: House):
    """Rule 22.7: a contact that a person made of their own accord, and a date that moves with the next one."""
    await _two_clients(house, CALL, contact_gap_days=5)
    called = notify.CallLogged(action_id=UUID(int=7), client_id="A", outcome="reached", done_on=date(2025, 3, 17))
    await house.hear(DAY, called)
    await house.round(DAY)
    assert (await house.verdicts())["A1"] == ("excluded", "R1", date(2025, 3, 22), ("contacted_recently",))
    async with house.http() as http:
        (group,) = (await http.get("/tasks", params={"as_of": DAY, "language": "fr"})).json()["groups"]
        (row,) = [row for row in group["rows"] if row["client_id"] == "A"]
        assert (row["until"], row["can_include"], row["ticked"]) == ("2025-03-22", True, False)
        assert "22/03/2025" in row["explanations"][0]["text"]
    met = notify.OtherContactLogged(action_id=UUID(int=8), client_id="A", outcome="reached")
    await house.hear("2025-03-19", met)
    await house.round("2025-03-19")
    said = [one for one in await house.said("ActionExcluded") if one["client_id"] == "A"]
    assert [one["body"]["entries"][0]["until"] for one in said] == ["2025-03-22", "2025-03-24"]
    await house.round("2025-03-23")
    assert (await house.verdicts())["A1"][0] == "excluded"
    await house.round("2025-03-24")
    assert (await house.verdicts())["A1"][0] == "due"


async def test_switching_the_grouping_withdraws_what_nobody_confirmed(house: House):
    """Rule 22.15, whenever it is switched."""
    await _two_clients(house, CALL)
    await house.round(DAY)
    confirmed = next(str(row["action_id"]) for row in await house.proposals() if row["client_id"] == "B")
    async with house.http() as http:
        await http.post("/confirm", json={"action_ids": [confirmed], "as_of": DAY})
        await http.put("/policy", json={"mode": "account"})
    await house.round("2025-03-19")
    (withdrawn,) = await house.said("ActionWithdrawn")
    assert (withdrawn["client_id"], withdrawn["body"]["reason"]) == ("A", "mode_switched")
    (row,) = await house.proposals()
    assert (row["client_id"], row["mode"]) == ("A", "account")


async def test_what_was_chosen_goes_on_with_the_code_that_stays(house: House):
    """Rule 22.24."""
    await _two_clients(house, AUTOMATIC)
    async with house.http() as http:
        await http.put("/client-policy", json={"client_id": "A", "tolerance_days": 3})
        await http.put("/automatic", json={"automatic": True, "entries": NAMED[:1]})
    moved = ledger.MergedEntry(entry_id=entry_id("A1"), into_entry_id=entry_id("B1"))
    merged = ledger.ClientMerged(client_id="A", into="B", entries=(moved,))
    await house.hear("2025-03-05", merged)
    await house.hear("2025-03-06", merged)
    async with house.http() as http:
        found = (await http.get("/client-policies", params={"client_id": "B"})).json()["clients"]
        levels = (await http.get("/levels", params={"client_id": "B"})).json()
    assert [one["tolerance_days"] for one in found] == [3]
    assert levels["entries"][0]["automatic"] is True
    assert len(await house.said("ClientPolicyChanged")) == 2


THANKS = {
    "step": "thanks",
    "medium": "email",
    "delay_days": 0,
    "counted_from": "payment_date",
    "template": "thanks",
}


def _announced(client: str, payment: str, invoice: str) -> ledger.PaymentLettered:
    return ledger.PaymentLettered(
        client_id=client,
        account="411",
        lettering="X",
        payments=(entry_id(payment),),
        settled=(entry_id(invoice),),
        paid_on=date(2025, 3, 12),
    )


async def test_nobody_is_thanked_twice_nor_contacted_too_soon_because_a_code_was_merged(house: House):
    """Rules 12.2, 22.7, 22.24: by hand under the old code, of the invoice alone; and again after a replay."""
    await house.hear("2025-03-01", client_changed("A"), client_changed("B"))
    steps = [{"step": "R1", "medium": "phone", "delay_days": 8}, THANKS]
    async with house.http(**{"Relance-As-Of": "2025-03-01"}) as http:
        await http.put("/scenarios", json=scenario(*steps))
        await http.put("/policy", json={"contact_gap_days": 5})
    lines = [line("A", "AF", 100, "2025-02-10", lettering="X"), line("A", "AP", -100, "2025-03-12", lettering="X")]
    await house.books("2025-03-12", *lines, line("B", "B1", 70, "2025-03-08"))
    await house.hear("2025-03-12", _announced("A", "AP", "AF"))
    wish = {"request_id": str(uuid4()), "client_id": "A", "entry_ids": [entry_id("AF")], "medium": "email"}
    async with house.http("user") as http:
        answer = await http.post("/by-hand", json={"actions": [wish | {"kind": "thanks"}], "as_of": "2025-03-13"})
        assert len(answer.json()["done"]) == 1, answer.text
    await house.round("2025-03-13")
    assert await house.proposals() == []
    (due,) = await house.said("ActionDue")
    sent = notify.CallLogged(action_id=due["body"]["action"]["action_id"], client_id="A", outcome="reached")
    await house.hear("2025-03-14", sent)
    await house.round("2025-03-14")
    assert await house.proposals() == []

    moved = ledger.MergedEntry(entry_id=entry_id("AP"), into_entry_id=entry_id("BP"))
    merged = ledger.ClientMerged(client_id="A", into="B", entries=(moved,))
    await house.hear("2025-03-15", merged)
    await house.hear("2025-03-15", merged)
    (taken,) = await house.said("HistoryTakenOver")
    assert taken["body"]["thanked"] == [entry_id("BP")]
    assert [one["contacted_on"] for one in taken["body"]["contacts"]] == ["2025-03-14"]
    gone = [one.model_copy(update={"removed": True}) for one in lines]
    here = [line("B", "BF", 100, "2025-02-10", lettering="X"), line("B", "BP", -100, "2025-03-12", lettering="X")]
    await house.books("2025-03-15", *gone, *here)
    await house.hear("2025-03-15", _announced("B", "BP", "BF"))
    for on, free in (("2025-03-18", False), ("2025-03-19", True)):
        await house.round(on)
        assert [one["step"] for one in await house.proposals()] == (["R1"] if free else []), on
    before = await _tables(house)
    await _replay(house)
    assert await _tables(house) == before


async def test_the_end_is_said_once_for_each_stay_there_and_again_after_a_replay(house: House):
    """Rounds are repeated, the client is looked at again and again, the tables are made again from the events."""
    await _two_clients(house, CALL)
    await house.round(DAY)
    await _carry_out(house, DAY)
    for on in ("2025-03-19", "2025-03-20"):
        await house.hear(on, client_changed("A"), client_changed("B"))
        await house.round(on)
    assert len(await house.said("DunningExhausted")) == 2
    before = await _tables(house)
    await _replay(house)
    assert await _tables(house) == before
    await house.hear("2025-03-21", client_changed("A"))
    await house.round("2025-03-21")
    assert len(await house.said("DunningExhausted")) == 2
    async with house.http() as http:
        lowered = [{**NAMED[0], "next_step": "R1"}]
        assert (await http.post("/levels", json={"levels": lowered, "as_of": "2025-03-22"})).status_code == 200
    await house.round("2025-03-29")
    await _carry_out(house, "2025-03-29")
    await _replay(house)
    await house.round("2025-03-30")
    await house.hear("2025-03-31", client_changed("A"))
    await house.round("2025-03-31")
    assert [one["client_id"] for one in await house.said("DunningExhausted")] in (["A", "B", "A"], ["B", "A", "A"])


async def _carry_out(house: House, on: str) -> None:
    for row in await house.proposals():
        called = notify.CallLogged(action_id=row["action_id"], client_id=row["client_id"], outcome="reached")
        await house.hear(on, called)


async def _tables(house: House) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: sorted(await house.rows(f"select * from {table.name} where company = :company"), key=str)
        for table in DERIVED
    }


async def _replay(house: House) -> None:
    """The tables emptied of this company and made again from everything that was heard and said."""
    own = [
        Delivered.of(
            getattr(dunning, row["type"]).model_validate(row["body"]),
            company=house.company,
            client_id=row["client_id"],
            as_of=row["as_of"],
            number=row["pseq"],
            partition=row["p"],
            occurred_at=row["occurred_at"],
            cause=Cause(row["actor"], row["correlation_id"]),
        )
        for row in await house.rows(
            "select * from event_log where company = :company order by occurred_at, p, pseq"
        )
    ]
    async with transaction(house.process.engine) as tx:
        for table in DERIVED:
            await tx.execute(
                text(f"delete from {table.name} where company = :company"), {"company": house.company}
            )
        await project_all(tx, PROJECT, [*house.past, *own])
