"""Rules 5.3, 5.4, 5.8, 22.12, 22.16: proposals, confirmations, and what becomes of them."""

from contracts import dunning
from tests.specs.dunning.given import CLIENT, credit, given, invoice, previous, resumed, step, stopped

LADDER = (step("R1", 8), previous("R2", 8, "phone"))


def test_an_unchanged_proposal_is_kept_silently():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").says(R1=(100, ["F"]))
    second = world.when("2025-01-10").silent().withdraws()
    assert first.verdict("F") == second.verdict("F")


def test_another_set_of_entries_is_another_action():
    """Rule 22.12: withdrawn and proposed anew."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").decision.actions[0]
    world.on("2025-01-10", invoice("G", 50, "2025-01-02"))
    second = world.when("2025-01-10").says(R1=(150, ["F", "G"])).withdraws("superseded").decision.actions[0]
    assert first.action_id != second.action_id
    assert {entry.occurrence for entry in second.entries} == {1, 2}


def test_going_back_to_an_earlier_set_never_names_the_same_action():
    """Rule 22.12: (entry, step, occurrence) is unique over all actions."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").decision.actions[0]
    world.on("2025-01-10", stopped()).when("2025-01-10").silent().withdraws("client_stopped")
    world.on("2025-01-11", resumed())
    again = world.when("2025-01-11").says(R1=(100, ["F"])).decision.actions[0]
    assert again.action_id != first.action_id
    assert again.entries[0].occurrence == 2


def test_a_settled_entry_takes_its_proposal_with_it():
    """Rule 5.8."""
    world = given(invoice("F", 100, "2025-01-01"), credit("P", 100, "2025-01-05"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.lettered("2025-01-10", "F", "P").when("2025-01-10").silent().withdraws("settled")


def test_an_amount_that_changed_is_asked_anew():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.on("2025-01-10", invoice("F", 80, "2025-01-01"))
    world.when("2025-01-10").says(R1=(80, ["F"])).withdraws("superseded")


def test_a_confirmed_e_mail_is_on_its_way_and_stands():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").confirmed()
    world.on("2025-01-09", stopped(), invoice("G", 50, "2025-01-01"))
    world.when("2025-01-10").silent().withdraws().due("F").excluded("G", "client_stopped")


def test_a_confirmed_call_is_withdrawn_when_its_client_is_stopped():
    """Habit 8: looked at twice."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").carried_out()
    world.when("2025-01-17").says(R2=(100, ["F"])).confirmed()
    world.when("2025-01-18").silent().withdraws().due("F")
    world.on("2025-01-19", stopped()).when("2025-01-19").silent().withdraws("client_stopped")


def test_a_failed_message_leaves_the_level_and_reopens_the_step():
    """Rule 22.16."""
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    first = world.when("2025-01-09").decision.actions[0]
    world.confirm_all("2025-01-09")
    failed = dunning.ActionWithdrawn(action_id=first.action_id, client_id=CLIENT, reason="email_failed")
    world.on("2025-01-09", failed)
    assert world.level("F") is None
    again = world.when("2025-01-10").says(R1=(100, ["F"])).decision.actions[0]
    assert again.action_id != first.action_id


def test_a_notice_does_not_change_the_level():
    """Rule 5.4."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when("2025-03-02").says(notice=(100, ["F"])).carried_out()
    assert world.level("F") is None
    world.when("2025-03-03").silent().waits("F", "R1", "2025-03-18")


def test_every_entry_of_the_message_reaches_its_level():
    """Rule 5.3."""
    world = given(invoice("F", 100, "2025-01-01"), credit("A", 10, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(90, ["A", "F"])).carried_out()
    assert (world.level("F"), world.level("A")) == ("R1", "R1")


def test_an_automatic_step_is_due_at_once_and_a_manual_one_is_proposed():
    """Rule 4.15."""
    world = given(invoice("F", 100, "2025-01-01"), steps=[step("R1", 8, mode="automatic")])
    world.with_policy(automatic_from="2025-01-01")
    decided = world.when("2025-01-09").says(R1=(100, ["F"]))
    assert decided.decision.actions[0].automatic
    world.when("2025-01-10").silent().due("F")


def test_a_step_made_automatic_does_not_wait_for_a_person_any_more():
    world = given(invoice("F", 100, "2025-01-01"), steps=LADDER)
    world.when("2025-01-09").says(R1=(100, ["F"]))
    world.under(step("R1", 8, mode="automatic")).with_policy(automatic_from="2025-01-01")
    decided = world.when("2025-01-10").says(R1=(100, ["F"])).withdraws("superseded")
    assert decided.decision.actions[0].automatic
