"""Rule 12: each lettered payment is thanked once, and nobody's level moves (5.4)."""

from decimal import Decimal
from uuid import UUID

import pytest

from contracts import dunning, ledger
from contracts.dunning import PolicyChanged, SendingCalendar
from contracts.event import Event
from services.dunning.domain import scenario as scenarios
from services.dunning.domain import scenario_refusals as refusals
from services.dunning.domain.amounts import ten_thousandths
from services.dunning.domain.by_hand import Composed, compose
from services.dunning.domain.policy import load
from services.dunning.domain.state import EntryState
from tests.specs.dunning.given import (
    CLIENT,
    World,
    credit,
    day,
    entry_id,
    given,
    invoice,
    resumed,
    scenario,
    step,
    stopped,
)


def thanks(delay: int = 3, **options: object):
    return step("thanks", delay, counted_from="payment_date", **options)


def payment(name: str, amount: object, on: str) -> Event:
    paid = credit(name, amount, on)
    assert paid.entries
    return paid.model_copy(update={"entries": (paid.entries[0].model_copy(update={"kind": "payment"}),)})


def announced(paid_on: str, payments: list[str], settled: list[str], code: str = "A") -> Event:
    return ledger.PaymentLettered(
        client_id=CLIENT,
        account="411",
        lettering=code,
        payments=tuple(sorted(entry_id(name) for name in payments)),
        settled=tuple(sorted(entry_id(name) for name in settled)),
        paid_on=day(paid_on),
    )


def thankful(*steps, since: str = "2025-01-01", **options: object) -> World:
    """A world that thanks three days after the payment date, switched on at the start of the year."""
    world = given(invoice("F", 100, "2025-04-20"))
    world.published = scenario(*(steps or (step("R1", 8), thanks(**options)))).model_copy(
        update={"thanks_since": day(since)}
    )
    return world


def paid(world: World, paid_on: str = "2025-05-02", lettered_on: str = "2025-05-09") -> World:
    world.on(paid_on, payment("P", 100, paid_on)).lettered(lettered_on, "F", "P")
    return world.on(lettered_on, announced(paid_on, ["P"], ["F"]))


def test_the_worked_example():
    """Example 21.7, rule 12.1: paid on 02/05, lettered on 09/05; due since 05/05, sent at the next run."""
    world = thankful(thanks())
    world.on("2025-05-02", payment("P", 100, "2025-05-02"))
    world.when("2025-05-05").silent()
    world.when("2025-05-08").silent()
    paid(world)
    said = world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    (action,) = said.decision.actions
    assert (action.due_since, action.amount) == (day("2025-05-05"), 100_0000)
    said.carried_out()
    assert world.level("F") is None
    world.when("2025-05-10").silent()


def test_the_day_it_falls_due():
    world = paid(thankful(), "2025-05-02", "2025-05-03")
    eve = world.when("2025-05-04").silent()
    assert eve.decision.next_on == day("2025-05-05")
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))


def test_never_lettered_never_thanked():
    world = thankful(thanks()).on("2025-05-02", payment("P", 100, "2025-05-02"))
    world.when("2025-05-30").silent()


def test_each_payment_once_also_when_the_letter_is_written_again():
    world = paid(thankful())
    world.when("2025-05-09").carried_out()
    world.lettered("2025-05-10", "F", "P", code=None).lettered("2025-05-11", "F", "P", code="B")
    world.when("2025-05-11").silent()


def test_a_second_payment_is_thanked_by_itself():
    world = paid(thankful())
    world.when("2025-05-09").carried_out()
    world.on("2025-05-10", invoice("G", 40, "2025-05-01"), payment("Q", 40, "2025-05-10"))
    world.lettered("2025-05-10", "G", "Q", code="B").on("2025-05-10", announced("2025-05-10", ["Q"], ["G"], "B"))
    world.when("2025-05-13").says(thanks=(40, ["G", "Q"]))


def thanked_by_hand(world: World, on: str, *names: str, counts: bool = True) -> World:
    """A person thanked for these settled entries; the message has left."""
    lines = [world.book.lines[entry_id(name)] for name in names]
    entries = tuple(
        EntryState(
            line.entry_id,
            line.currency,
            ten_thousandths(line.debit - line.credit),
            ten_thousandths(line.book_amount),
            line.due_date,
            line.entry_date,
        )
        for line in lines
    )
    composed = Composed(UUID(int=len(world.said) + 1), entries, "thanks", "email", counts=counts)
    planned = compose(world.book.state(), load(world.policy), world.scenario, day(on), composed)
    world.said[planned.action.action_id] = planned.action
    return world.on(on, dunning.ActionDue(action=planned.action))


@pytest.mark.parametrize("named", [["F"], ["P"], ["F", "P"]])
def test_a_thank_you_by_hand_thanks_for_the_payment_whatever_entries_it_names(named):
    """Rule 12.2: while it is on its way and once it has left, nothing more is proposed; no level moves."""
    world = thanked_by_hand(paid(thankful()), "2025-05-09", *named)
    world.when("2025-05-09").silent().withdraws()
    world.when("2025-05-10").silent().withdraws()
    world.carry_out("2025-05-10")
    world.when("2025-05-11").silent().withdraws()
    assert world.level("F") is None


def test_a_proposal_gives_way_to_a_thank_you_by_hand():
    world = paid(thankful())
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    thanked_by_hand(world, "2025-05-09", "F")
    world.when("2025-05-09").silent().withdraws("superseded")


def test_a_thank_you_by_hand_that_the_scenario_ignores_changes_nothing():
    """Rule 5.5: history only."""
    world = thanked_by_hand(paid(thankful()), "2025-05-09", "F", counts=False)
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))


@pytest.mark.parametrize("has_left", [True, False])
@pytest.mark.parametrize(
    ("paid_on", "thanked"), [("2025-05-09", True), ("2025-05-10", True), ("2025-05-11", False)]
)
def test_a_thank_you_by_hand_is_for_payments_up_to_its_day(paid_on, thanked, has_left):
    """The eve, the day and the day after: a later payment of the same invoice is thanked by itself."""
    world = paid(thankful(thanks(0)), "2025-05-02", "2025-05-03")
    thanked_by_hand(world, "2025-05-10", "F")
    if has_left:
        world.carry_out("2025-05-10")
    world.changed("2025-05-10", "F", debit=Decimal(140), book_amount=Decimal(140))
    world.on(paid_on, payment("Q", 40, paid_on)).lettered("2025-05-12", "F", "P", "Q", code="B")
    world.on("2025-05-12", announced(paid_on, ["Q"], ["F"], "B"))
    assert (not world.when("2025-05-12").decision.actions) is thanked


@pytest.mark.parametrize(("paid_on", "thanked"), [("2025-05-10", True), ("2025-05-11", False)])
def test_of_two_thank_yous_by_hand_the_later_counts_in_whatever_order_they_are_heard(paid_on, thanked):
    """What was paid on the 10th was thanked for on the 10th, whatever is heard of the 8th afterwards."""
    world = paid(thankful(thanks(0)), "2025-05-02", "2025-05-03")
    world.changed("2025-05-10", "F", debit=Decimal(140), book_amount=Decimal(140))
    for on in ("2025-05-10", "2025-05-08"):
        done = dunning.ActionDone(
            action_id=UUID(int=int(on[-2:])),
            client_id=CLIENT,
            step="thanks",
            medium="email",
            done_on=day(on),
            levels=(dunning.LevelMove(entry_id=entry_id("F"), level_before=None, level_after=None),),
        )
        world.on("2025-05-10", done)
    world.on(paid_on, payment("Q", 40, paid_on)).lettered("2025-05-12", "F", "P", "Q", code="B")
    world.on("2025-05-12", announced(paid_on, ["Q"], ["F"], "B"))
    assert (not world.when("2025-05-12").decision.actions) is thanked


def test_a_payment_announced_before_its_lines_came_waits_for_them():
    """Ledger and accounting are heard apart; a line in another currency is not spoken of (rule 19.3)."""
    world = thankful(thanks()).on("2025-05-09", announced("2025-05-02", ["P"], ["G", "U"]))
    world.when("2025-05-09").silent()
    world.on("2025-05-10", payment("P", 40, "2025-05-02")).lettered("2025-05-10", "P")
    world.when("2025-05-10").silent()
    dollars = {"currency": "USD", "book_amount": Decimal(9), "lettering": "A"}
    world.on(
        "2025-05-11", invoice("G", 31, "2025-05-01", lettering="A"), invoice("U", 10, "2025-05-01", **dollars)
    )
    world.when("2025-05-11").says(thanks=(40, ["G", "P"]))


def test_a_thank_you_tells_the_level_that_what_was_settled_had_reached():
    """Rule 5.4: the same before and after."""
    world = thankful()
    world.when("2025-04-28").carried_out()
    (action,) = paid(world).when("2025-05-09").decision.actions
    levels = {line.entry_id: (line.level_before, line.level_after) for line in action.entries}
    assert levels == {entry_id("F"): (1, 1), entry_id("P"): (0, 0)}


def test_a_payment_thanked_under_a_code_that_was_merged_is_not_thanked_again():
    """Rules 12.2, 22.24: by whatever it is called now; another payment of the old code still is."""
    world = paid(thankful())
    world.on("2025-05-02", invoice("G", 40, "2025-05-01"), payment("Q", 40, "2025-05-02"))
    world.lettered("2025-05-09", "G", "Q", code="B").on("2025-05-09", announced("2025-05-02", ["Q"], ["G"], "B"))
    taken = dunning.HistoryTakenOver(client_id=CLIENT, from_client_id="OLD", thanked=(entry_id("P"),))
    world.on("2025-05-09", taken).when("2025-05-09").says(thanks=(40, ["G", "Q"]))


def test_two_lettering_groups_are_two_messages():
    world = paid(thankful())
    world.on("2025-05-02", invoice("G", 40, "2025-05-01"), payment("Q", 40, "2025-05-02"))
    world.lettered("2025-05-09", "G", "Q", code="B").on("2025-05-09", announced("2025-05-02", ["Q"], ["G"], "B"))
    assert len(world.when("2025-05-09").decision.actions) == 2


@pytest.mark.parametrize(
    ("paid_on", "thanked"), [("2025-05-01", False), ("2025-05-02", False), ("2025-05-03", True)]
)
def test_only_payments_dated_after_the_activation(paid_on, thanked):
    """Rule 12.3: switched on on 2 May."""
    world = paid(thankful(since="2025-05-02"), paid_on, "2025-05-04")
    assert bool(world.when("2025-05-08").decision.actions) is thanked


@pytest.mark.parametrize(("on", "thanked"), [("2025-06-03", True), ("2025-06-04", True), ("2025-06-05", False)])
def test_at_most_thirty_days_and_the_delay_old(on, thanked):
    """Rule 12.3: 2 May + 30 + 3 is 4 June."""
    world = paid(thankful(), "2025-05-02", "2025-06-01")
    assert bool(world.when(on).decision.actions) is thanked


def test_a_proposal_that_became_too_old_is_withdrawn():
    world = paid(thankful())
    said = world.when("2025-05-09")
    assert said.decision.next_on == day("2025-06-05")
    world.when("2025-06-04").silent().withdraws()
    world.when("2025-06-05").silent().withdraws("thanks_lapsed")


def test_on_its_last_day_a_thank_you_that_is_to_be_worded_otherwise_is_made_anew():
    """Rule 12.3: the 4th of June is its last day, so it has not lapsed."""
    world = paid(thankful())
    world.when("2025-05-09")
    changed = scenario(step("R1", 8), thanks(template="warm"))
    world.published = changed.model_copy(update={"thanks_since": day("2025-01-01")})
    world.when("2025-06-04").says(thanks=(100, ["F", "P"])).withdraws("superseded")


def test_a_payment_whose_amount_changed_is_thanked_as_it_is_now():
    world = paid(thankful())
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    world.changed("2025-05-10", "P", credit=Decimal(90), book_amount=Decimal(-90))
    world.changed("2025-05-10", "F", debit=Decimal(90), book_amount=Decimal(90))
    world.when("2025-05-10").says(thanks=(90, ["F", "P"])).withdraws("lettering_undone")


def test_a_stopped_client_is_not_thanked_and_is_once_it_is_resumed():
    """Rule 12.4."""
    world = paid(thankful()).on("2025-05-08", stopped())
    world.when("2025-05-09").silent()
    world.on("2025-05-12", resumed()).when("2025-05-12").says(thanks=(100, ["F", "P"]))


def test_a_client_that_is_stopped_meanwhile():
    world = paid(thankful())
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    world.on("2025-05-10", stopped()).when("2025-05-10").silent().withdraws("client_stopped")


def test_a_creditor_client_is_not_thanked():
    """Rule 12.4: it is owed more than it owes."""
    world = paid(thankful()).on("2025-05-08", credit("A", 30, "2025-05-08"), invoice("G", 29, "2025-07-01"))
    world.when("2025-05-09").silent()
    world.on("2025-05-10", invoice("H", 1, "2025-07-01")).when("2025-05-10").says(thanks=(100, ["F", "P"]))


def test_lettering_undone_takes_the_proposal_back_and_done_again_brings_it():
    world = paid(thankful(thanks()))
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    world.lettered("2025-05-10", "F", code=None).when("2025-05-10").silent().withdraws("lettering_undone")
    world.lettered("2025-05-11", "F").when("2025-05-11").says(thanks=(100, ["F", "P"]))


def test_a_proposal_stays_the_same_from_day_to_day():
    world = paid(thankful())
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    world.when("2025-05-10").silent().withdraws()


def test_levels_reminders_and_thanks_do_not_touch_each_other():
    """Rule 5.4: F reached R1 before it was paid; an invoice that is open goes its own way."""
    world = thankful().on("2025-01-02", invoice("G", 50, "2025-05-04"))
    world.when("2025-04-28").carried_out()
    assert world.level("F") == "R1"
    paid(world).when("2025-05-09").says(thanks=(100, ["F", "P"])).carried_out()
    assert (world.level("F"), world.level("G")) == ("R1", None)
    world.when("2025-05-12").says(R1=(50, ["G"]))


def test_a_thank_you_of_one_mode_is_not_withdrawn_by_the_other():
    world = paid(thankful())
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    world.with_policy(mode="account").when("2025-05-10").silent().withdraws()


def test_an_automatic_thank_you_waits_for_an_open_day():
    """Rule 4.16: 10 May 2025 is a Saturday."""
    world = paid(thankful(thanks(mode="automatic")), "2025-05-07", "2025-05-09")
    calendar = SendingCalendar(weekdays=(1, 2, 3, 4, 5), not_before="08:30")
    world.policy = PolicyChanged(version=1, calendar=calendar, automatic_from=day("2025-01-01"))
    world.when("2025-05-10").silent()
    (action,) = world.when("2025-05-12").decision.actions
    assert (action.automatic, action.not_before) == (True, "08:30")


def test_a_scenario_that_thanks_no_more():
    world = paid(thankful())
    world.when("2025-05-09").says(thanks=(100, ["F", "P"]))
    world.under(step("R1", 8)).when("2025-05-10").silent().withdraws("thanks_off")


@pytest.mark.parametrize(
    ("steps", "refusal"),
    [
        ([step("R1", 8), step("thanks", 3)], refusals.ThanksNotCountedFromPayment),
        ([step("R1", 8), thanks(end_of_month=True)], refusals.ThanksNotCountedFromPayment),
        ([step("R1", 8, counted_from="payment_date")], refusals.OnlyThanksCountFromPayment),
        ([thanks(), step("R1", 8)], refusals.StepsOutOfOrder),
        ([thanks(61)], refusals.DelayOutOfRange),
    ],
)
def test_where_the_thank_you_stands(steps, refusal):
    with pytest.raises(refusal):
        scenarios.load(scenario(*steps))


def test_where_nothing_leaves_by_itself_an_automatic_thank_you_is_proposed():
    """Rule 22.13: automatic messages are off until somebody switches them on."""
    world = paid(thankful(thanks(mode="automatic")))
    world.with_policy(automatic_from=None)
    (action,) = world.when("2025-05-09").decision.actions
    assert not action.automatic


def test_an_automatic_thank_you_waits_for_fresh_data():
    """Rule 2.6."""
    world = paid(thankful(thanks(mode="automatic"))).with_policy(automatic_from="2025-01-01", stale_after_days=1)
    world.read_last("2025-05-07")
    assert world.when("2025-05-09").silent().decision.next_on == day("2025-05-10")
    world.read_last("2025-05-09").when("2025-05-10").says(thanks=(100, ["F", "P"]))


def test_a_thank_you_respects_the_days_between_two_contacts():
    """Rules 22.7, 12.5; what was proposed before stays."""
    world = paid(thankful()).with_policy(contact_gap_days=5).called("2025-05-08")
    world.when("2025-05-12").silent()
    world.when("2025-05-13").says(thanks=(100, ["F", "P"]))
    world.called("2025-05-14").when("2025-05-14").silent().withdraws()


def test_a_call_of_thanks_that_a_person_took_on_stands_until_the_client_is_stopped_or_the_payment_taken_back():
    """Rules 12.4, 12.5: looked at again on each day (habit 8)."""

    def taken_on() -> World:
        world = paid(thankful(step("thanks", 3, "phone", "payment_date")))
        world.when("2025-05-09").says(thanks=(100, ["F", "P"])).confirmed()
        world.when("2025-05-10").silent().withdraws()
        return world

    taken_on().when("2025-05-11").silent().withdraws()
    taken_on().on("2025-05-11", stopped()).when("2025-05-11").silent().withdraws("client_stopped")
    taken_on().lettered("2025-05-11", "F", "P", code=None).when("2025-05-11").silent().withdraws(
        "lettering_undone"
    )
