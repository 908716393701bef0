"""What would be sent: the same as living every day with everything confirmed, and nothing but a copy."""

from datetime import date, timedelta

from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from contracts.dunning import SendingCalendar
from services.dunning.domain.arrivals import Payments, paid_by_habit
from services.dunning.domain.calendar import EVERY_DAY, CompanyDays
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.simulation import Company, Contact, Rules, every_day, live
from services.dunning.domain.state import ClientState, EntryState, PaidLine
from tests.specs.dunning.given import (
    COMPANY,
    STANDARD,
    World,
    at_level,
    credit,
    day,
    entry_id,
    given,
    invoice,
    previous,
    promise,
    scenario,
    step,
    stopped,
)
from tests.specs.dunning.test_properties import D0, POLICIES, SCENARIOS, clients, days


def company(policy, *scenarios, **follows) -> Company:
    return Company(Rules(policy, {f"S{number}": one for number, one in enumerate(scenarios)}, follows))


def simulated(world: World, first: str, last: str, paid: dict[str, str] | None = None) -> list[Contact]:

    scenarios = {} if world.scenario is None else {"Standard": world.scenario}
    paid_on = {entry_id(name): day(on) for name, on in (paid or {}).items()}
    rules = Rules(load_policy(world.policy), scenarios)
    return live(world.book.state(), Payments(paid_on), Company(rules), day(first), day(last))


def told(contacts: list[Contact]) -> list[tuple[str, str, str]]:
    return [(one.on.isoformat(), one.step, one.medium) for one in contacts]


def test_an_invoice_that_nobody_pays_walks_through_its_scenario() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"))
    assert told(simulated(world, "2025-03-01", "2025-05-29")) == [
        ("2025-03-02", "notice", "email"),
        ("2025-03-18", "R1", "email"),
        ("2025-03-26", "R2", "phone"),
        ("2025-04-03", "R3", "phone"),
        ("2025-04-11", "R4", "letter"),
        ("2025-04-19", "R5", "letter"),
    ]


def test_the_first_and_the_last_day_belong_to_the_period() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"))
    assert told(simulated(world, "2025-03-18", "2025-03-25")) == [("2025-03-18", "R1", "email")]
    assert told(simulated(world, "2025-03-18", "2025-03-26"))[-1] == ("2025-03-26", "R2", "phone")
    assert simulated(world, "2025-03-03", "2025-03-17")[:1] == simulated(world, "2025-03-03", "2025-03-03")


def test_a_paid_invoice_is_not_reminded_from_the_day_of_its_payment() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"))
    eve = simulated(world, "2025-03-10", "2025-04-30", paid={"F1": "2025-03-17"})
    same_day = simulated(world, "2025-03-10", "2025-04-30", paid={"F1": "2025-03-18"})
    day_after = simulated(world, "2025-03-10", "2025-04-30", paid={"F1": "2025-03-19"})
    reminders = [[one.step for one in told_ if one.step != "notice"] for told_ in (eve, same_day, day_after)]
    assert reminders == [[], [], ["R1"]]


def test_what_is_open_when_it_begins_is_carried_out_on_the_first_day() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"))
    world.when("2025-03-18")
    contacts = simulated(world, "2025-03-20", "2025-03-28")
    assert told(contacts) == [("2025-03-20", "R1", "email"), ("2025-03-28", "R2", "phone")]
    assert contacts[0].net_amount == 1000 * 10_000


def test_a_payment_is_thanked_for_where_the_scenario_does() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"))
    thanking = scenario(*STANDARD, step("thanks", 3, counted_from="payment_date")).model_copy(
        update={"thanks_since": day("2025-01-01")}
    )
    world.published = thanking
    contacts = simulated(world, "2025-03-11", "2025-04-30", paid={"F1": "2025-03-19"})
    assert told(contacts) == [("2025-03-18", "R1", "email"), ("2025-03-22", "thanks", "email")]


def test_a_contact_tells_its_currency_both_amounts_and_whether_it_leaves_by_itself() -> None:
    """Rule 19.3."""
    dollars = {"currency": "USD", "book_amount": 90}
    world = given(invoice("F1", 100, "2025-03-10", **dollars), invoice("F2", 100, "2025-03-10", **dollars))
    world.published = scenario(step("R1", 8, mode="automatic"), without=[])
    world.with_policy(automatic_from="2025-01-01")
    assert simulated(world, "2025-03-11", "2025-03-31") == [
        Contact(day("2025-03-18"), "R1", "email", "USD", 200_0000, 180_0000, 2, True)
    ]


def test_what_is_paid_in_a_simulation_is_a_payment_lettered_at_once() -> None:
    """In the currency of the invoice; what it had reached is told (rule 12.2)."""
    world = given(
        invoice("F1", 100, "2025-03-10", currency="USD", book_amount=90),
        invoice("F2", 5, "2025-03-10"),
        at_level("F1", "R2", "2025-03-12"),
    )
    before = world.book.state()
    payments = Payments({entry_id("F1"): day("2025-03-19")})
    assert payments.arrive(day("2025-03-18"), before) == before
    after = payments.arrive(day("2025-03-19"), before)
    assert [entry.entry_id for entry in after.entries] == [entry_id("F2")]
    payment, settled = after.paid[0].lines
    assert (after.paid[0].paid_on, after.paid[0].settled) == (day("2025-03-19"), True)
    assert settled == PaidLine(entry_id("F1"), "USD", 100_0000, 90_0000, day("2025-03-10"), 2)
    assert payment[1:] == ("USD", -100_0000, -90_0000, day("2025-03-19"), 0, 0)


def test_a_stopped_client_gets_nothing_until_the_stop_ends() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"), stopped("2025-03-25"))
    assert told(simulated(world, "2025-03-01", "2025-03-24")) == []
    assert told(simulated(world, "2025-03-01", "2025-03-25")) == [("2025-03-25", "R1", "email")]


def test_a_promise_holds_back_until_its_day() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"), promise("F1", "2025-03-22"))
    world.with_policy(promises_exclude=True)
    assert told(simulated(world, "2025-03-11", "2025-03-22")) == [("2025-03-22", "R1", "email")]


def test_credits_are_netted_as_they_would_be() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"), credit("A1", 400, "2025-03-10"))
    contacts = simulated(world, "2025-03-11", "2025-03-18")
    assert [(one.step, one.net_amount, one.entries) for one in contacts] == [("R1", 600 * 10_000, 2)]


def test_an_entry_that_is_too_small_sleeps_and_a_credit_as_small_is_netted() -> None:
    """Rules 8.4, 8.14: the lone debit is remembered, the credit is not taken for it."""
    lines = (invoice("F1", 10, "2025-03-10"), credit("A1", 5, "2025-03-10"), invoice("F2", 1000, "2025-03-10"))
    world = given(*lines).with_policy(minimum_per_entry="20")
    contacts = simulated(world, "2025-03-01", "2025-05-29")
    assert [(one.step, one.net_amount, one.entries) for one in contacts] == [
        ("notice", 1000 * 10_000, 1),
        *[(f"R{number}", 995 * 10_000, 2) for number in range(1, 6)],
    ]


def test_a_client_follows_the_scenario_that_is_tried_on_its_profile() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"))
    slow = load_scenario(scenario(step("R1", 15)).model_copy(update={"profile": "Slow"}))
    rules = Rules(POLICIES[0], {"Standard": world.scenario, "Slow": slow}, {"Standard": "Slow"})
    contacts = live(world.book.state(), Payments({}), Company(rules), day("2025-03-11"), day("2025-04-30"))
    assert told(contacts) == [("2025-03-25", "R1", "email")]


def test_a_level_reached_before_is_where_it_begins() -> None:
    world = given(invoice("F1", 1000, "2025-03-10"), at_level("F1", "R4", "2025-04-01"))
    assert told(simulated(world, "2025-04-02", "2025-06-30")) == [("2025-04-09", "R5", "letter")]


def test_habits_say_when_an_invoice_is_paid_unless_it_is_later_already() -> None:
    state = given(invoice("F1", 1, "2025-03-10"), invoice("F2", 1, "2025-03-01"), credit("A", 1, "2025-03-10"))
    lines = state.book.state().entries
    first = day("2025-03-12")
    assert paid_by_habit(lines, 12, first) == {
        entry_id("F1"): day("2025-03-22"),
        entry_id("F2"): day("2025-03-13"),
    }
    assert paid_by_habit(lines, 11, first)[entry_id("F2")] == first, "on the first day itself it is still in time"
    assert paid_by_habit(lines, 10, first) == {entry_id("F1"): day("2025-03-20")}
    assert paid_by_habit(lines, None, first) == {}
    assert paid_by_habit(lines, -5, day("2025-03-01")) == {entry_id("F1"): day("2025-03-05")}


MORE = [
    load_scenario(scenario(*steps))
    for steps in (
        (step("R1", 2), step("R2", 9, ignorable=True), step("R3", 10), previous("R4", 0)),
        (step("notice", 12), step("R1", 0, ignorable=True), previous("R2", 0, "phone"), previous("R3", 31)),
    )
]
WEEKDAYS = CompanyDays(SendingCalendar(weekdays=(1, 2, 3, 5), skip_holidays=True))
MONTHLY = CompanyDays(SendingCalendar(weekdays=(1, 2, 3, 4, 5), month_days=(10, 25)))
MORE += [
    load_scenario(
        scenario(*STANDARD, step("thanks", 3, counted_from="payment_date")).model_copy(
            update={"thanks_since": D0}
        ),
        days_,
    )
    for days_ in (EVERY_DAY, WEEKDAYS, MONTHLY)
]
payments = st.dictionaries(st.integers(0, 6).map(lambda n: f"{n:032x}"), days, max_size=4)


@settings(max_examples=400, deadline=None)
@forall(
    clients(),
    st.sampled_from(POLICIES),
    st.sampled_from([*SCENARIOS, *MORE]),
    days,
    st.tuples(payments, st.integers(0, 7)),
)
def test_passing_over_days_and_entries_gives_what_deciding_everything_every_day_gives(
    client, policy, scen, first, outside
):
    """From outside come payments, and a next step that a person had chosen for one entry. Nothing was reminded
    after the day on which the simulation begins."""
    paid, chosen = outside
    lived = [
        entry._replace(
            forced=number == chosen,
            reminded_on=entry.reminded_on and min(entry.reminded_on, first),
            noticed_on=entry.noticed_on and min(entry.noticed_on, first),
        )
        for number, entry in enumerate(client.entries)
    ]
    client = client._replace(entries=tuple(lived))
    last = first + timedelta(days=60)
    tried = Company(Rules(policy, {"Standard": scen}))
    assert live(client, Payments(paid), tried, first, last) == every_day(
        client, Payments(paid), tried, first, last
    )


@settings(max_examples=150, deadline=None)
@forall(st.lists(clients(), min_size=2, max_size=4), st.sampled_from(POLICIES), st.sampled_from(SCENARIOS))
def test_what_is_remembered_of_one_client_is_true_of_the_next(many, policy, scen):
    shared = Company(Rules(policy, {"Standard": scen}))
    for client in many:
        alone = Company(Rules(policy, {"Standard": scen}))
        period = (D0, D0 + timedelta(days=60))
        assert live(client, Payments({}), shared, *period) == live(client, Payments({}), alone, *period)


facts = st.lists(
    st.tuples(st.booleans(), st.integers(1, 300), st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=5
)


@settings(max_examples=60, deadline=None)
@forall(facts, st.sampled_from([{}, {"mode": "account"}, {"netting": "account"}, {"netting": "none"}]))
def test_nobody_paying_equals_rounds_day_by_day_with_everything_confirmed_and_done(lines, policy):
    """The events of rounds, evolved, against the simulation's own steps."""
    world = given(steps=STANDARD).with_policy(**policy)
    for number, (is_credit, amount, due, level) in enumerate(lines):
        make = credit if is_credit else invoice
        world.on("2025-01-01", make(f"E{number}", amount, (D0 + timedelta(days=due)).isoformat()))
        if level:
            world.on("2025-01-01", at_level(f"E{number}", f"R{level}", "2025-01-01"))
    contacts = simulated(world, D0.isoformat(), (D0 + timedelta(days=70)).isoformat())
    lived = []
    for number in range(71):
        on = D0 + timedelta(days=number)
        world.when(on.isoformat()).confirmed()
        for action in (world.said[opened] for opened in world.book.actions):
            net = int(action.net_amount * 10_000)
            lived.append((on, action.step, action.medium, net, len(action.entries)))
        world.carry_out(on.isoformat())
    assert sorted((one.on, one.step, one.medium, one.net_amount, one.entries) for one in contacts) == sorted(lived)


def test_the_client_it_was_given_is_as_it_was() -> None:
    entry = EntryState("0" * 32, "EUR", 10_000, 10_000, date(2025, 1, 1), date(2025, 1, 1))
    client = ClientState(COMPANY, "C1", None, True, False, None, (entry,))
    before = repr(client)
    live(client, Payments({}), company(POLICIES[0], *SCENARIOS), D0, D0 + timedelta(days=90))
    assert repr(client) == before
