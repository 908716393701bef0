"""C19: a simulation begins with what is open, lives under rules that change, and is counted."""

from datetime import timedelta
from itertools import permutations

import pytest

from services.dunning.domain import simulation
from services.dunning.domain.arrivals import Payments
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.simulation import Company, Contact, Rules, live, live_through
from services.dunning.domain.tally import Count, Tally, differ
from tests.specs.dunning.given import (
    World,
    at_level,
    client,
    credit,
    day,
    entry_id,
    entry_stopped,
    given,
    invoice,
    previous,
    promise,
    scenario,
    step,
)
from tests.specs.dunning.test_open_actions import by_hand
from tests.specs.dunning.test_thank_you import announced, payment, thankful, thanks

LADDER = (step("R1", 8, "phone"), step("R2", 16, "phone"), step("R3", 24, "phone"))


def company(world: World) -> Company:
    scenarios = {} if world.scenario is None else {"Standard": world.scenario}
    return Company(Rules(load_policy(world.policy), scenarios))


def simulated(world: World, first: str, last: str) -> list[Contact]:
    return live(world.book.state(), Payments({}), company(world), day(first), day(last))


# What is open when it begins


def test_an_open_message_is_carried_out_with_its_amounts_and_currency():
    world = given(
        invoice("U", 100, "2025-03-10", currency="USD", book_amount=90),
        credit("V", 20, "2025-03-10", currency="USD", book_amount=-18),
        steps=LADDER,
    )
    world.when("2025-03-18")
    assert simulated(world, "2025-03-20", "2025-03-20") == [
        Contact(day("2025-03-20"), "R1", "phone", "USD", 80_0000, 72_0000, 2, False)
    ]


def test_credits_that_are_not_netted_are_not_deducted_from_an_open_message():
    world = given(invoice("F", 100, "2025-03-10"), credit("A", 20, "2025-03-10"), steps=LADDER)
    world.with_policy(netting="none").when("2025-03-18")
    (contact,) = simulated(world, "2025-03-20", "2025-03-20")
    assert (contact.net_amount, contact.book_amount, contact.entries) == (100_0000, 100_0000, 2)


def test_an_e_mail_that_is_on_its_way_counts_as_it_was_said():
    """G was settled after a person had confirmed it: the last look is not played."""
    world = given(invoice("F", 100, "2025-03-10"), invoice("G", 40, "2025-03-10"), steps=(step("R1", 8),))
    world.when("2025-03-18").confirmed()
    state = world.book.state()
    left = state._replace(entries=tuple(one for one in state.entries if one.entry_id == entry_id("F")))
    (contact,) = live(left, Payments({}), company(world), day("2025-03-20"), day("2025-03-20"))
    assert (contact.net_amount, contact.book_amount) == (140_0000, 140_0000)


def test_followers_of_an_open_account_message_go_one_step_on():
    """Rule 6.4: after the R3 of F, G has reached R1 and comes to R2 sixteen days after its own due date."""
    steps = (*LADDER, previous("R4", 50, "phone"))
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-23"), steps=steps)
    world.with_policy(mode="account").on("2025-03-02", at_level("F", "R2", "2025-03-17"))
    world.when("2025-03-25").says(R3=(150, ["F", "G"]))
    state = world.with_policy(mode="item").confirm_all("2025-03-25").book.state()
    contacts = live(state, Payments({}), company(world), day("2025-03-26"), day("2025-04-20"))
    assert [(one.on.isoformat(), one.step, one.net_amount // 10_000) for one in contacts] == [
        ("2025-03-26", "R3", 150),
        ("2025-04-08", "R2", 50),
        ("2025-04-16", "R3", 50),
    ]


def test_credits_do_not_lead_an_open_account_message():
    """A credit at R2 is no follower's measure: G, the highest debit, reaches R1 itself."""
    world = given(invoice("G", 50, "2025-03-10"), credit("A", 5, "2025-02-01"), steps=LADDER)
    world.with_policy(mode="account").on("2025-03-02", at_level("A", "R2", "2025-03-01"))
    world.when("2025-03-18").says(R1=(45, ["A", "G"]))
    state = world.with_policy(mode="item").confirm_all("2025-03-18").book.state()
    contacts = live(state, Payments({}), company(world), day("2025-03-19"), day("2025-03-31"))
    assert [(one.on.isoformat(), one.step, one.entries) for one in contacts] == [
        ("2025-03-19", "R1", 2),
        ("2025-03-26", "R2", 1),
    ]


def test_what_is_open_in_the_variant_without_mail_moves_levels_as_that_variant_says():
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-23"), client(email=False))
    letters = (step("R1", 8, "letter"), step("R3", 24, "letter"))
    world.published = scenario(*LADDER, without=letters)
    world.with_policy(mode="account").on("2025-03-02", at_level("F", "R1", "2025-03-10"))
    world.when("2025-03-25").says(R3=(150, ["F", "G"]))
    state = world.with_policy(mode="item").confirm_all("2025-03-25").book.state()
    contacts = live(state, Payments({}), company(world), day("2025-03-26"), day("2025-04-30"))
    assert [(one.on.isoformat(), one.step) for one in contacts] == [("2025-03-26", "R3"), ("2025-04-16", "R3")]


def test_a_credit_that_a_person_calls_about_goes_on_by_itself():
    """In account mode too: no debit stands above it."""
    world = given(credit("A", 20, "2025-02-01"), invoice("F", 100, "2025-12-01"), steps=LADDER)
    world.with_policy(mode="account")
    by_hand(world, "2025-03-01", "A")
    contacts = simulated(world, "2025-03-02", "2025-03-02")
    assert [(one.step, one.net_amount) for one in contacts] == [("R1", -20_0000)]


def test_an_open_message_goes_through_the_variant_of_the_client():
    """G, a follower, is brought to the R1 of the variant with e-mail; the other one has none."""
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-23"))
    world.published = scenario(*LADDER, without=[step("R3", 24, "letter")])
    world.with_policy(mode="account").on("2025-03-02", at_level("F", "R2", "2025-03-17"))
    world.when("2025-03-25").says(R3=(150, ["F", "G"]))
    state = world.with_policy(mode="item").confirm_all("2025-03-25").book.state()
    contacts = live(state, Payments({}), company(world), day("2025-03-26"), day("2025-04-08"))
    assert [(one.on.isoformat(), one.step) for one in contacts] == [("2025-03-26", "R3"), ("2025-04-08", "R2")]


@pytest.mark.parametrize("mode", ["item", "account"])
def test_who_passed_over_a_step_reaches_the_level_of_the_open_message(mode):
    """Rule 4.9: R2 gave way to R3, so what follows is R4."""
    steps = (step("R1", 8, "phone"), previous("R2", 2, "phone", ignorable=True), previous("R3", 2, "phone"))
    world = given(invoice("F", 100, "2025-03-10"), steps=(*steps, previous("R4", 5, "phone")))
    world.with_policy(mode=mode).on("2025-03-18", at_level("F", "R1", "2025-03-18"))
    world.when("2025-03-22").says(R3=(100, ["F"]))
    contacts = simulated(world, "2025-03-22", "2025-03-31")
    assert [(one.on.isoformat(), one.step) for one in contacts] == [("2025-03-22", "R3"), ("2025-03-27", "R4")]


def test_an_open_notice_moves_no_level():
    """Rule 5.4."""
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("notice", 8), *LADDER))
    world.when("2025-03-02").says(notice=(100, ["F"]))
    contacts = simulated(world, "2025-03-03", "2025-03-26")
    assert [(one.on.isoformat(), one.step) for one in contacts] == [
        ("2025-03-03", "notice"),
        ("2025-03-18", "R1"),
        ("2025-03-26", "R2"),
    ]


def test_a_mail_that_is_on_its_way_leaves_although_no_scenario_applies_any_more():
    """Rule 3.6."""
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8),))
    world.when("2025-03-18").confirmed()
    world.published = None
    assert [one.step for one in simulated(world, "2025-03-19", "2025-03-31")] == ["R1"]


# Rules that change (ADR 22)


def test_rules_that_are_long_due_when_they_begin_hold_from_their_day_and_no_earlier():
    """R2 would have come on the 20th, by rules that begin on the 27th; on the 29th others stop everything."""
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8, "phone"),))
    quick = load_scenario(scenario(step("R1", 8, "phone"), previous("R2", 2, "phone"), previous("R3", 1, "phone")))
    last = load_scenario(scenario(step("R1", 8, "phone")))
    rules = [
        (day("2025-01-01"), company(world)),
        (day("2025-03-27"), Company(Rules(load_policy(world.policy), {"Standard": quick}))),
        (day("2025-03-29"), Company(Rules(load_policy(world.policy), {"Standard": last}))),
    ]
    contacts = live_through(world.book.state(), Payments({}), rules, day("2025-03-01"), day("2025-04-30"))
    assert [(one.on.isoformat(), one.step) for one in contacts] == [
        ("2025-03-18", "R1"),
        ("2025-03-27", "R2"),
        ("2025-03-28", "R3"),
    ]


def test_rules_that_change_hold_from_their_day_on():
    world = given(invoice("F", 100, "2025-03-10"), steps=LADDER)
    before = company(world)
    slow = load_scenario(scenario(step("R1", 8, "phone"), previous("R2", 10, "phone")))
    after = Company(Rules(load_policy(world.policy), {"Standard": slow}))

    def told(changed_on: str, first: str = "2025-03-01", last: str = "2025-04-30") -> list[tuple[str, str]]:
        rules = [(day("2025-01-01"), before), (day(changed_on), after)]
        contacts = live_through(world.book.state(), Payments({}), rules, day(first), day(last))
        return [(one.on.isoformat(), one.step) for one in contacts]

    first = ("2025-03-18", "R1")
    assert told("2025-03-27") == [first, ("2025-03-26", "R2")]
    assert told("2025-03-26") == [first, ("2025-03-28", "R2")]
    assert told("2025-03-18") == [first, ("2025-03-28", "R2")]
    assert told("2025-02-01") == [first, ("2025-03-28", "R2")]
    assert told("2025-06-01", last="2025-03-26") == [first, ("2025-03-26", "R2")]
    assert told("2025-03-27", first="2025-03-19") == [("2025-03-19", "R1"), ("2025-03-26", "R2")]
    alone = live_through(
        world.book.state(), Payments({}), [(day("2025-05-01"), before)], day("2025-03-01"), day("2025-03-18")
    )
    assert [one.step for one in alone] == ["R1"], "the first rules hold from the beginning"


# Payments


def test_payments_are_heard_on_their_day_in_any_order():
    world = given(*(invoice(name, 100, "2025-03-10") for name in ("F", "G", "H")), steps=LADDER)
    paid = {entry_id("G"): day("2025-03-26"), entry_id("F"): day("2025-03-18"), entry_id("H"): day("2025-04-03")}
    contacts = live(world.book.state(), Payments(paid), company(world), day("2025-03-11"), day("2025-04-30"))
    assert [(one.step, one.entries) for one in contacts] == [("R1", 2), ("R2", 1)]


# Counted and compared


def contact(on: str, step_name: str = "R1", entries: int = 1, automatic: bool = False) -> Contact:
    return Contact(day(on), step_name, "email", "EUR", 100_0000, 90_0000, entries, automatic)


def test_counts_add_up():
    assert Count(1, 2, 3).plus(Count(10, 20, 30)) == Count(11, 22, 33)
    tally = Tally()
    tally.add([contact("2025-03-18", entries=2), contact("2025-03-18", entries=3), contact("2025-03-19")])
    tally.add([])
    assert tally.clients == 1
    assert tally.total == Count(3, 6, 270_0000)
    both = Tally()
    both.add([contact("2025-03-18")])
    both.add_rows(tally.rows(), tally.clients)
    both.add_rows(tally.rows(), 4)
    assert both.clients == 6
    assert both.by(0) == {
        (day("2025-03-18"),): Count(5, 11, 450_0000),
        (day("2025-03-19"),): Count(2, 2, 180_0000),
    }


def test_differences_are_of_steps_paired_in_order():
    r1, r2 = contact("2025-03-18"), contact("2025-03-26", "R2")
    assert differ([r1], [r1]) is None
    kinds = {
        "more": ([r1], [r1, r2]),
        "fewer": ([r1, r2], [r1]),
        "earlier": ([r1], [r1._replace(on=r1.on - timedelta(days=1))]),
        "later": ([r1], [r1._replace(on=r1.on + timedelta(days=1))]),
        "other": ([r1], [r1._replace(entries=2)]),
    }
    for kind, (before, after) in kinds.items():
        found = differ(before, after)
        assert found is not None
        assert (found.kinds, found.before, found.after) == ((kind,), len(before), len(after))
    instead = differ([r1], [r2])
    assert instead is not None
    assert (instead.kinds, instead.lost, instead.gained) == (("other",), (r1,), (r2,))
    by_itself = differ([r1], [r1._replace(automatic=True)])
    assert by_itself is not None
    assert by_itself.kinds == ("other",)
    moved = differ([r1], [r1._replace(on=r1.on + timedelta(days=1), automatic=True)])
    assert moved is not None
    assert moved.kinds == ("later",)


# What is passed over (a hundred thousand entries over ninety days)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entries were looked at, look by look."""
    seen: list[int] = []
    real = simulation.decide_openly

    def looked(client, *more):
        seen.append(len(client.entries))
        return real(client, *more)

    monkeypatch.setattr(simulation, "decide_openly", looked)
    return seen


YEAR = (day("2025-01-01"), day("2025-12-31"))
F, G, TWIN = (
    invoice("F", 100, "2025-03-10"),
    invoice("G", 100, "2025-04-20"),
    invoice("TWIN", 100, "2025-03-10"),
)


@pytest.mark.parametrize(
    ("facts", "policy", "messages", "most"),
    [
        ([F], {}, 6, 7),
        ([F, G], {}, 12, 14),
        ([F, TWIN], {}, 6, 14),
        ([F, TWIN], {"netting": "account"}, 6, 14),
        ([F, TWIN], {"mode": "account"}, 6, 28),
        ([F, G, entry_stopped("G", "2025-06-01")], {}, 11, 16),
        ([F, G, promise("G", "2025-06-01")], {"promises_exclude": True}, 11, 16),
        ([F, G, entry_stopped("G")], {}, 6, 11),
        ([F, TWIN, entry_stopped("F"), entry_stopped("TWIN")], {}, 0, 10),
        ([F, TWIN, entry_stopped("F")], {}, 6, 13),
        ([F, at_level("F", "R5", "2024-12-01"), G, TWIN], {}, 12, 15),
        ([F], {"minimum_per_reminder": "200"}, 0, 4),
        ([F, TWIN], {"minimum_per_reminder": "300"}, 0, 8),
        ([F, TWIN, G], {"minimum_per_reminder": "200"}, 6, 19),
    ],
    ids=[
        "one",
        "two",
        "twins",
        "netted",
        "of the account",
        "stopped until June",
        "promised for June",
        "stopped",
        "both stopped",
        "one of twins stopped",
        "one exhausted",
        "too small",
        "both too small",
        "one too small",
    ],
)
def test_days_on_which_nothing_can_change_and_entries_that_sleep_are_passed_over(
    looks, facts, policy, messages, most
):
    """Each entry is looked at about once for each of its messages, and on the first day."""
    world = given(*facts).with_policy(**policy)
    assert len(live(world.book.state(), Payments({}), company(world), *YEAR)) == messages
    assert sum(looks) <= most


def test_what_is_known_of_one_lone_debit_is_known_of_all_that_are_alike(looks):
    """Whatever they are called and are about; each message is about its own amount."""
    world, other = given(F), given(invoice("H", 70, "2025-03-10", book_amount=60))
    known = company(world)
    first = live(world.book.state(), Payments({}), known, *YEAR)
    looks.clear()
    second = live(other.book.state(), Payments({}), known, *YEAR)
    assert sum(looks) == 1, "the first day, on which nothing is known of the client yet"
    assert [one._replace(net_amount=100_0000, book_amount=100_0000) for one in second] == first
    assert {(one.net_amount, one.book_amount) for one in second} == {(70_0000, 60_0000)}
    paid = Payments({entry_id("H"): day("2025-04-01")})
    third = live(other.book.state(), paid, known, *YEAR)
    assert third == [one for one in second if one.on < day("2025-04-01")], "under its own name it is paid"


@pytest.mark.parametrize("limit", ["minimum_per_entry", "minimum_per_reminder", "maximum_per_reminder"])
@pytest.mark.parametrize("amounts", list(permutations(["49.99", "50.00", "50.01"])))
def test_what_is_known_of_one_amount_is_not_taken_for_another_one_beyond_a_threshold(limit, amounts):
    """Rule 8.12: whichever was seen first, the others get what they would get alone."""
    worlds = [given(invoice("F", amount, "2025-03-10")).with_policy(**{limit: "50"}) for amount in amounts]
    shared = company(worlds[0])
    told = [[one.step for one in live(world.book.state(), Payments({}), shared, *YEAR)] for world in worlds]
    alone = [
        [one.step for one in live(world.book.state(), Payments({}), company(world), *YEAR)] for world in worlds
    ]
    assert told == alone
    assert len({len(one) for one in told}) == 2


def test_debits_that_are_too_small_by_themselves_are_reminded_from_the_day_on_which_they_are_enough_together():
    """Rule 8.8: F comes to R1 on the 18th of March, H on the 20th, each about 30 with a minimum of 50."""
    world = given(invoice("F", 30, "2025-03-10"), invoice("H", 30, "2025-03-12"), steps=LADDER[:1])
    world.with_policy(minimum_per_reminder="50")
    contacts = simulated(world, "2025-03-01", "2025-04-30")
    assert [(one.on.isoformat(), one.entries) for one in contacts] == [("2025-03-20", 2)]


@pytest.mark.parametrize("first", [0, 1])
def test_what_is_known_of_a_held_debit_is_not_taken_for_one_of_a_client_with_another_tolerance(first):
    """Rule 22.26: due on the 10th of March, R1 on the 18th; tolerated for 20 days, or for 30."""
    worlds = [given(F, steps=LADDER[:1]).with_own_policy("2025-03-01", tolerance_days=days) for days in (20, 30)]
    shared = company(worlds[0])
    told = {}
    for number in (first, 1 - first):
        state = worlds[number].book.state()
        told[number] = [one.on for one in live(state, Payments({}), shared, day("2025-03-18"), day("2025-05-31"))]
    assert told == {0: [day("2025-03-31")], 1: [day("2025-04-10")]}


def test_what_waits_for_a_contact_to_be_over_is_looked_at_on_that_day_though_others_sleep():
    """Rules 22.7, 22.29: of two calls that the round of the 15th proposed one was made on the 17th, the other
    is made on the 18th; F, which comes to R1 on that day, waits for the 23rd.
    """
    steps = (step("R1", 8, "phone"), step("R2", 20, "phone"))
    facts = (invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-02-23"), invoice("H", 20, "2025-03-07"))
    world = given(*facts, at_level("G", "R1", "2025-03-03"), steps=steps).with_policy(contact_gap_days=5)
    proposed = world.when("2025-03-15").says(R1=(20, ["H"]), R2=(50, ["G"])).decision.actions
    (made,) = [action.action_id for action in proposed if action.step == "R1"]
    world.carry_out_one("2025-03-17", made)
    contacts = simulated(world, "2025-03-18", "2025-03-27")
    assert [(one.on.isoformat(), one.step, one.net_amount // 10_000) for one in contacts] == [
        ("2025-03-18", "R2", 50),
        ("2025-03-23", "R1", 100),
    ]


def test_twins_that_wait_for_a_contact_to_be_over_are_looked_at_on_that_day():
    """Rule 22.7: called on the 17th of March, free from the 22nd on."""
    world = given(F, TWIN, steps=LADDER[:1]).with_policy(contact_gap_days=5).called("2025-03-17")
    contacts = simulated(world, "2025-03-17", "2025-04-30")
    assert [(one.on.isoformat(), one.entries) for one in contacts] == [("2025-03-22", 2)]


@pytest.mark.parametrize("first", [0, 1])
def test_what_is_known_of_a_lone_debit_is_not_taken_for_one_of_a_client_without_an_address(first):
    """Rule 4.2: whichever of the two was seen first."""
    states = [given(F, client(email=email)).book.state() for email in (True, False)]
    shared = company(given(F))
    told = {}
    for number in (first, 1 - first):
        told[number] = [one.medium for one in live(states[number], Payments({}), shared, *YEAR)]
    by_hand_later = ["phone", "phone", "letter", "letter"]
    assert told == {0: ["email", "email", *by_hand_later], 1: ["letter", "letter", *by_hand_later]}


def test_what_is_known_of_a_lone_debit_is_known_whoever_called_where_no_days_lie_between_contacts(looks):
    """Rule 22.7: without the option contacts matter to nothing."""
    known = company(given(F))
    live(given(F).book.state(), Payments({}), known, *YEAR)
    looks.clear()
    called = given(F).called("2024-12-30").called("2024-12-31")
    assert len(live(called.book.state(), Payments({}), known, *YEAR)) == 6
    assert sum(looks) == 1, "the first day, on which nothing is known of the client yet"


def test_a_notice_that_the_stop_of_its_entry_outlasted_never_comes():
    """Rules 4.11, 8.2: the notice lapsed on the 10th of March."""
    world = given(F, entry_stopped("F", "2025-03-20"), steps=[step("notice", 8, "phone")])
    assert simulated(world, "2025-03-01", "2025-12-31") == []
    in_time = given(F, entry_stopped("F", "2025-03-10"), steps=[step("notice", 8, "phone")])
    assert [one.on.isoformat() for one in simulated(in_time, "2025-03-01", "2025-12-31")] == ["2025-03-10"]


@pytest.mark.parametrize(
    ("due", "on"), [("2025-03-12", "2025-03-20"), ("2025-03-13", "2025-03-21"), ("2025-03-14", "2025-03-22")]
)
def test_a_payment_is_thanked_for_on_its_day_whatever_is_said_of_another_invoice(due, on):
    """Rule 12.1: paid on the 19th of March, thanked three days later; on the eve, the day, or two days before it
    the other one comes to R1.
    """
    steps = (step("R1", 8, "phone"), step("thanks", 3, "phone", "payment_date"))
    world = given(F, invoice("H", 50, due), steps=steps)
    assert world.published is not None
    world.published = world.published.model_copy(update={"thanks_since": day("2025-01-01")})
    paid = Payments({entry_id("F"): day("2025-03-19")})
    contacts = live(world.book.state(), paid, company(world), day("2025-03-11"), day("2025-04-30"))
    assert sorted((one.on.isoformat(), one.step) for one in contacts) == sorted(
        [("2025-03-18", "R1"), (on, "R1"), ("2025-03-22", "thanks")]
    )


@pytest.mark.parametrize(("of_company", "own"), [("100", None), (None, "100"), ("500", "100")])
def test_what_is_late_of_the_whole_account_is_measured_though_some_of_it_comes_to_no_step_yet(of_company, own):
    """Rule 22.26: F, 60, comes to R1 on the 18th; on the 21st H, due on the 20th, is late too: not tolerated."""
    facts = (invoice("F", 60, "2025-03-10"), invoice("H", 60, "2025-03-20"))
    world = given(*facts, steps=LADDER[:1]).with_policy(tolerance_amount=of_company)
    if own is not None:
        world.with_own_policy("2025-03-01", tolerance_amount=own)
    contacts = simulated(world, "2025-03-01", "2025-04-30")
    assert [(one.on.isoformat(), one.entries) for one in contacts] == [("2025-03-21", 1), ("2025-03-28", 1)]


def test_a_line_about_nothing_goes_on_where_no_invoice_comes_to_its_step():
    """Rule 22.14: Z goes over R1 on the 13th of March, and is beside F at R2 on the 21st."""
    facts = (invoice("Z", 0, "2025-03-05"), invoice("F", 100, "2025-03-05"), at_level("F", "R1", "2025-03-09"))
    contacts = simulated(given(*facts, steps=LADDER), "2025-03-10", "2025-03-27")
    assert [(one.on.isoformat(), one.step, one.entries) for one in contacts] == [("2025-03-21", "R2", 2)]


@pytest.mark.parametrize("gap", [0, 5, 10])
def test_a_credit_that_goes_on_by_itself_does_so_on_its_day_and_is_no_contact(gap):
    """Rules 22.7, 22.14: A goes over R1 on the 16th of March and comes to R2 eight days later, as F does."""
    steps = (step("R1", 8, "phone"), previous("R2", 8, "phone"), previous("R3", 8, "phone"))
    facts = (invoice("F", 100, "2025-03-07"), credit("A", 20, "2025-03-08"), at_level("F", "R1", "2025-03-16"))
    world = given(*facts, steps=steps).with_policy(contact_gap_days=gap)
    contacts = simulated(world, "2025-03-16", "2025-03-31")
    assert [(one.on.isoformat(), one.step, one.net_amount // 10_000) for one in contacts] == [
        ("2025-03-24", "R2", 80)
    ]


def test_all_that_is_open_when_it_begins_is_carried_out_and_goes_on():
    """Two calls, of the R1 of F and the R2 of G."""
    steps = (step("R1", 8, "phone"), previous("R2", 8, "phone"), previous("R3", 8, "phone"))
    world = given(F, invoice("G", 50, "2025-03-10"), at_level("G", "R1", "2025-03-10"), steps=steps)
    world.when("2025-03-18").says(R1=(100, ["F"]), R2=(50, ["G"]))
    contacts = simulated(world, "2025-03-18", "2025-03-26")
    assert sorted((one.on.isoformat(), one.step, one.net_amount // 10_000) for one in contacts) == [
        ("2025-03-18", "R1", 100),
        ("2025-03-18", "R2", 50),
        ("2025-03-26", "R2", 100),
        ("2025-03-26", "R3", 50),
    ]


def test_an_open_thank_you_is_said_on_the_first_day_and_no_second_time():
    """Rule 12.2."""
    world = thankful(thanks())
    world.on("2025-05-02", payment("P", 100, "2025-05-02")).lettered("2025-05-04", "F", "P")
    world.on("2025-05-04", announced("2025-05-02", ["P"], ["F"]))
    world.when("2025-05-05").says(thanks=(100, ["F", "P"]))
    contacts = simulated(world, "2025-05-06", "2025-06-30")
    assert [(one.on.isoformat(), one.step) for one in contacts] == [("2025-05-06", "thanks")]
