"""Rules 4.12, 5.4, 7.6, 9.1, 12, 19.3, 22.12: everything an action says, and what a refusal names."""

from itertools import permutations
from uuid import UUID

import pytest

from contracts import dunning
from services.dunning.domain import sayings
from services.dunning.domain.by_hand import (
    Composed,
    CurrenciesDiffer,
    NothingToAsk,
    compose,
)
from services.dunning.domain.identity import action_id
from services.dunning.domain.including import EntryNotExcluded, ReasonNotAcceptable, tick_back
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.thanks import gratitude
from services.dunning.domain.verdicts import PlannedEntry
from tests.specs.dunning.given import (
    CLIENT,
    COMPANY,
    World,
    at_level,
    client,
    credit,
    day,
    disputed,
    entry_id,
    given,
    invoice,
    previous,
    scenario,
    step,
    stopped,
)
from tests.specs.dunning.test_thank_you import announced, payment, thankful, thanks

R1_ONLY = (step("R1", 8),)
COPY = UUID(int=9)


# What the engine plans


def test_a_reminder_says_all_that_it_was_decided_from():
    steps = (step("R1", 8, mode="automatic", copies=[COPY]), previous("R2", 8, "phone"))
    facts = (
        invoice("F", 100, "2025-03-10"),
        invoice("G", 50, "2025-03-08", currency="EUR", book_amount=50),
        credit("A", 30, "2025-03-09"),
    )
    world = given(*facts).with_policy(calendar={"not_before": "08:30"}, automatic_from="2025-01-01")
    world.published = scenario(*steps, without=[step("R1", 8, "letter")])
    (action,) = world.when("2025-03-18").decision.actions
    lines = [(entry_id(name), 1) for name in ("F", "G", "A")]
    assert action.action_id == action_id(COMPANY, CLIENT, "R1", "EUR", sorted(lines))
    assert (action.step, action.medium, action.template, action.mode) == ("R1", "email", "R1", "item")
    assert (action.currency, action.amount, action.net_amount) == ("EUR", 150_0000, 120_0000)
    assert action.book_net_amount == 120_0000
    assert action.due_since == day("2025-03-16")
    assert (action.automatic, action.not_before, action.copies) == (True, "08:30", (COPY,))
    assert action.accepted_reasons == ()
    held = {entry.entry_id: entry for entry in action.entries}
    assert held[entry_id("F")] == PlannedEntry(
        entry_id("F"), 1, 100_0000, day("2025-03-10"), 0, 1, day("2025-03-18"), None
    )
    assert held[entry_id("A")].amount == -30_0000


@pytest.mark.parametrize("heard", list(permutations(("old", "twin", "young"))))
def test_a_message_speaks_of_the_oldest_first_and_of_two_of_one_day_by_their_names(heard):
    """Rule 9.1: whatever was heard of first, and however their names are sorted."""
    young, old, twin = sorted(("F", "G", "H"), key=entry_id)
    names = {"young": young, "old": old, "twin": twin}
    dues = {"young": "2025-03-09", "old": "2025-03-08", "twin": "2025-03-08"}
    world = given(*(invoice(names[one], 10, dues[one]) for one in heard), steps=R1_ONLY)
    (action,) = world.when("2025-03-18").decision.actions
    assert [line.entry_id for line in action.entries] == [entry_id(old), entry_id(twin), entry_id(young)]
    two = given(*(invoice(names[one], 10, dues[one]) for one in heard if one != "twin"), steps=R1_ONLY)
    (action,) = two.when("2025-03-18").decision.actions
    assert [line.entry_id for line in action.entries] == [entry_id(old), entry_id(young)]


@pytest.mark.parametrize("mode", ["manual", "automatic"])
def test_what_is_said_of_an_action_is_what_its_contract_reads(mode):
    """It is made without being checked: read again by the contract it is the same, each field where it belongs."""
    facts = (invoice("F", 100, "2025-03-10"), credit("A", 30, "2025-03-10"), client(profile="Export"))
    world = given(*facts).with_policy(calendar={"not_before": "08:30"}, automatic_from="2025-01-01", version=7)
    steps = (step("R1", 8), step("R2", 16, mode=mode, copies=[COPY]))
    world.published = scenario(*steps, without=[step("R1", 8, "letter")]).model_copy(update={"version": 4})
    world.on("2025-03-17", at_level("F", "R1", "2025-03-17"), at_level("A", "R1", "2025-03-17"))
    decision = world.when("2025-03-26").decision
    said = sayings.opening(CLIENT, decision, decision.actions[0])
    assert isinstance(said, dunning.ActionDue if mode == "automatic" else dunning.ActionProposed)
    assert type(said).model_validate_json(said.model_dump_json()) == said
    action = said.action
    for made in (said, action, *action.entries):
        assert vars(made).keys() == type(made).model_fields.keys(), "and nothing else"
    assert (action.client_id, action.profile, action.kind) == (CLIENT, "Export", "reminder")
    assert (action.scenario_version, action.policy_version) == (4, 7)
    assert {(one.due_on, one.reminded_on) for one in action.entries} == {(day("2025-03-26"), day("2025-03-17"))}
    if isinstance(said, dunning.ActionDue):
        assert (said.draft_id, said.not_before) == (None, "08:30")


@pytest.mark.parametrize(("name", "kind"), [("notice", "notice"), ("R1", "reminder"), ("thanks", "thanks")])
def test_the_kind_of_an_action_is_that_of_its_step(name, kind):
    assert sayings.kind_of(name) == kind


@pytest.mark.parametrize(
    ("on", "kind"), [("2025-03-02", "notice"), ("2025-03-10", "notice"), ("2025-03-18", "reminder")]
)
def test_a_proposal_says_of_which_kind_it_is(on, kind):
    """Rules 4.4, 4.6."""
    world = given(invoice("F", 100, "2025-03-10"))
    world.when(on)
    assert [action.kind for action in world.said.values()] == [kind]


def test_a_second_time_at_a_step_is_another_occurrence_and_the_last_reminder_is_told():
    world = given(invoice("F", 100, "2025-03-10"), steps=(*R1_ONLY, previous("R2", 8, "phone")))
    world.when("2025-03-18").carried_out()
    (second,) = world.when("2025-03-26").decision.actions
    assert (second.entries[0].reminded_on, second.entries[0].level_before) == (day("2025-03-18"), 1)
    world.carry_out("2025-03-26").on("2025-03-27", at_level("F", "R1", "2025-03-27", before="R2"))
    (again,) = world.when("2025-04-04").decision.actions
    assert (again.step, again.entries[0].occurrence) == ("R2", 2)


def test_followers_of_an_account_go_one_step_on_and_tell_no_day_of_their_own():
    """Rule 6.4: G, without a level, comes along with the R3 of F and reaches R1."""
    steps = (step("R1", 8), step("R2", 16), step("R3", 24))
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-23"), steps=steps)
    world.with_policy(mode="account").on("2025-03-02", at_level("F", "R2", "2025-03-17"))
    (action,) = world.when("2025-03-25").decision.actions
    held = {entry.entry_id: entry for entry in action.entries}
    assert (held[entry_id("F")].level_after, held[entry_id("F")].due_on) == (3, day("2025-03-25"))
    assert (held[entry_id("G")].level_after, held[entry_id("G")].due_on) == (1, None)
    assert action.due_since == day("2025-03-25")
    assert action.mode == "account"


def test_a_thank_you_says_what_was_settled_and_what_was_paid():
    """Rule 12: in the payment's currency, the oldest line first; no level moves."""
    world = thankful()
    world.published = scenario(thanks(copies=[COPY]), without=[step("R1", 8, "letter")]).model_copy(
        update={"thanks_since": day("2025-01-01")}
    )
    world.on(
        "2025-05-01",
        invoice("G", 30, "2025-04-10", currency="USD", book_amount=27),
        credit("A", 10, "2025-04-30", currency="USD", book_amount=-9),
    )
    paid = payment("P", 20, "2025-05-02")
    line = paid.entries[0].model_copy(update={"currency": "USD", "book_amount": -18})  # type: ignore[attr-defined]
    world.on("2025-05-02", paid.model_copy(update={"entries": (line,)})).lettered("2025-05-03", "G", "A", "P")
    world.on("2025-05-03", announced("2025-05-02", ["P"], ["G", "A"]))
    (action,) = world.when("2025-05-05").decision.actions
    assert (action.step, action.medium, action.template, action.mode) == ("thanks", "email", "thanks", "item")
    assert (action.currency, action.amount, action.net_amount) == ("USD", 30_0000, 30_0000)
    assert action.book_net_amount == 27_0000
    assert (action.due_since, action.copies, action.automatic) == (day("2025-05-05"), (COPY,), False)
    assert [(entry.entry_id, entry.amount, entry.due_date) for entry in action.entries] == [
        (entry_id("G"), 30_0000, day("2025-04-10")),
        (entry_id("A"), -10_0000, day("2025-04-30")),
        (entry_id("P"), -20_0000, day("2025-05-02")),
    ]
    assert {(entry.occurrence, entry.level_before, entry.level_after) for entry in action.entries} == {(1, 0, 0)}
    held = sorted((entry.entry_id, 1) for entry in action.entries)
    assert action.action_id == action_id(COMPANY, CLIENT, "thanks", "USD", held)


def test_nobody_is_thanked_where_no_plan_or_no_step_says_so():
    world = thankful()
    assert gratitude(world.book.state(), None) == []


# Ticked back by a person (rule 8.15)


def ticked(world: World, on: str, *names: str) -> list[tuple[str, str, tuple[str, ...]]]:
    ids = [entry_id(name) for name in names]
    _, planned = tick_back(world.book.state(), load_policy(world.policy), world.scenario, day(on), ids)
    return [(one.step, one.currency, one.accepted_reasons) for one in planned]


def test_what_is_ticked_back_is_one_action_per_step_and_currency_in_their_order():
    steps = (step("notice", 8), step("R1", 8))
    facts = (
        invoice("U", 40, "2025-03-10", currency="USD", book_amount=36),
        invoice("F", 100, "2025-03-10"),
        invoice("N", 70, "2025-03-20"),
    )
    world = given(*facts, stopped(), steps=steps)
    assert ticked(world, "2025-03-18", "N", "U", "F") == [
        ("R1", "EUR", ("client_stopped",)),
        ("R1", "USD", ("client_stopped",)),
        ("notice", "EUR", ("client_stopped",)),
    ]
    _, (planned,) = tick_back(
        world.book.state(), load_policy(world.policy), world.scenario, day("2025-03-18"), [entry_id("F")]
    )
    assert (planned.due_since, planned.entries[0].due_on) == (day("2025-03-18"), day("2025-03-18"))


@pytest.mark.parametrize(("email", "medium"), [(True, "email"), (False, "letter")])
def test_what_is_ticked_back_takes_the_step_of_the_variant_of_the_client(email, medium):
    world = given(invoice("F", 100, "2025-03-10"), client(email=email), stopped())
    world.published = scenario(step("R1", 8), without=[step("R1", 8, "letter"), previous("R2", 8, "phone")])
    _, (planned,) = tick_back(
        world.book.state(), load_policy(world.policy), world.scenario, day("2025-03-18"), [entry_id("F")]
    )
    assert planned.medium == medium


def test_a_follower_of_the_account_that_is_ticked_back_goes_one_step_on():
    steps = (step("R1", 8), step("R2", 16), step("R3", 24))
    world = given(invoice("F", 100, "2025-03-01"), invoice("G", 50, "2025-03-23"), disputed("G"), steps=steps)
    world.with_policy(mode="account", disputes_exclude=True).on("2025-03-02", at_level("F", "R2", "2025-03-17"))
    _, (planned,) = tick_back(
        world.book.state(), load_policy(world.policy), world.scenario, day("2025-03-25"), [entry_id("G")]
    )
    assert (planned.step, planned.entries[0].level_after) == ("R3", 1)


def test_what_is_not_excluded_cannot_be_ticked_back_and_is_named():
    world = given(invoice("F", 100, "2025-03-10"), steps=R1_ONLY)
    with pytest.raises(EntryNotExcluded) as refused:
        ticked(world, "2025-03-18", "F")
    assert refused.value.entry_id == entry_id("F")
    world.published = None
    with pytest.raises(EntryNotExcluded):
        ticked(world, "2025-03-18", "F")


@pytest.mark.parametrize(("amount", "refused"), [("99.99", False), ("100", True), ("100.01", True)])
def test_what_leaves_nothing_to_ask_for_cannot_be_ticked_back(amount, refused):
    world = given(invoice("F", 100, "2025-03-10"), credit("A", amount, "2025-03-10"), stopped(), steps=R1_ONLY)
    if not refused:
        assert ticked(world, "2025-03-18", "F", "A")
        return
    with pytest.raises(ReasonNotAcceptable) as told:
        ticked(world, "2025-03-18", "F", "A")
    assert (told.value.entry_id, told.value.reason) == (entry_id("F"), "net_not_positive")


def test_one_cent_over_a_threshold_of_nothing_is_something():
    world = given(invoice("F", "0.0001", "2025-03-10"), stopped(), steps=R1_ONLY)
    assert ticked(world, "2025-03-18", "F")


def test_an_invoice_that_may_be_paid_cannot_be_ticked_back():
    """Rule 2.8: its lettering does not balance."""
    world = given(invoice("G", 1, "2025-03-10"), invoice("F", 100, "2025-03-10"), stopped(), steps=R1_ONLY)
    state = world.book.state()
    wrong = tuple(
        entry._replace(lettering_error=True) if entry.entry_id == entry_id("F") else entry
        for entry in state.entries
    )
    ids = [entry_id("G"), entry_id("F")]
    with pytest.raises(ReasonNotAcceptable) as told:
        tick_back(state._replace(entries=wrong), load_policy(world.policy), world.scenario, day("2025-03-18"), ids)
    assert (told.value.entry_id, told.value.reason) == (entry_id("F"), "lettering_error")


# By hand (rules 5.5, 9.1 to 9.3)

WISH = UUID(int=7)


def by_hand(world: World, *names: str, on: str = "2025-03-20", **options: object):
    state = world.book.state()
    ids = [entry_id(name) for name in names]
    known = {entry.entry_id: entry for entry in state.entries}
    fields: dict[str, object] = {"kind": "reminder", "medium": "email", **options}
    composed = Composed(WISH, tuple(known[identity] for identity in ids), **fields)  # type: ignore[arg-type]
    return compose(state, load_policy(world.policy), world.scenario, day(on), composed)


def test_what_a_person_composes_says_all_that_it_holds():
    world = given(invoice("G", 50, "2025-03-12"), invoice("F", 100, "2025-03-10"), credit("A", 30, "2025-03-11"))
    world.published = scenario(step("R1", 8), step("R2", 16)).model_copy(update={"version": 4})
    action = by_hand(world, "G", "F", "A", template="mine").action
    assert [entry.entry_id for entry in action.entries] == [entry_id("F"), entry_id("A"), entry_id("G")]
    assert {entry.occurrence for entry in action.entries} == {1}
    assert (action.client_id, action.profile, action.scenario_version) == (CLIENT, "Standard", 4)
    assert (action.kind, action.medium, action.template, action.mode) == ("reminder", "email", "mine", "item")
    assert (str(action.amount), str(action.net_amount)) == ("150.00", "120.00")
    assert (action.by_hand, action.counts, action.next_step) == (True, True, None)
    assert by_hand(world, "F", counts=False, next_step="R1").action.next_step is None
    account = world.with_policy(mode="account")
    assert by_hand(account, "F").action.mode == "account"
    account.published = None
    assert by_hand(account, "F").action.scenario_version == 0


def test_what_was_reminded_before_is_another_occurrence():
    world = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8), previous("R2", 8)))
    world.when("2025-03-18").carried_out()
    world.on("2025-03-19", at_level("F", "R1", "2025-03-19", before="R1"))
    world.on("2025-03-19", at_level("F", "R2", "2025-03-19", before="R1"))
    assert by_hand(world, "F").action.entries[0].occurrence == 1
    fresh = given(invoice("F", 100, "2025-03-10"), steps=(step("R1", 8), previous("R2", 8)))
    fresh.when("2025-03-18")
    assert by_hand(fresh, "F").action.entries[0].occurrence == 2


def test_the_step_is_that_of_the_highest_debit_and_r1_for_credits_alone():
    world = given(credit("A", 30, "2025-03-10"), at_level("A", "R3", "2025-03-11"), invoice("F", 1, "2025-03-10"))
    assert by_hand(world, "A", medium="phone").action.step == "R1"
    assert by_hand(world, "F", "A", medium="phone").action.step == "R1"


def test_the_steps_that_may_be_chosen_are_those_of_the_variant_of_the_client():
    world = given(invoice("F", 100, "2025-03-10"), client(email=False))
    world.published = scenario(step("R1", 8), without=[step("R1", 8, "letter"), step("R2", 16, "phone")])
    planned = by_hand(world, "F", medium="letter", next_step="R2")
    assert planned.choices == ("R1", "R2")
    assert planned.action.next_step == "R2"
    assert planned.action.entries[0].level_after == "R1"
    world.published = scenario(step("R1", 8), step("R3", 16), without=[step("R2", 8, "letter")])
    world.on("2025-03-01", client())
    planned = by_hand(world, "F", next_step="R3")
    assert (planned.choices, planned.action.step) == (("R1", "R3"), "R1")
    assert (planned.action.next_step, planned.action.entries[0].level_after) == ("R3", "R2")


def test_a_person_sees_what_speaks_against_the_entries_but_not_for_a_thank_you():
    world = given(invoice("F", 100, "2025-03-10"), client(payment_mode="PRLV"), stopped())
    world.with_policy(automatic_payment_modes=["PRLV"])
    assert by_hand(world, "F").reasons == ("automatic_payment_mode", "client_stopped")
    assert by_hand(world, "F", kind="thanks").reasons == ("client_stopped",)


def test_currencies_that_differ_are_named_and_nothing_is_not_asked_for():
    world = given(
        invoice("U", 40, "2025-03-10", currency="USD", book_amount=36), invoice("F", "0.0001", "2025-03-10")
    )
    with pytest.raises(CurrenciesDiffer) as refused:
        by_hand(world, "U", "F")
    assert refused.value.currencies == ["EUR", "USD"]
    assert by_hand(world, "F").action.net_amount
    world.on("2025-03-01", credit("A", "0.0001", "2025-03-10"))
    with pytest.raises(NothingToAsk):
        by_hand(world, "F", "A")


def test_a_wish_of_another_company_or_client_is_another_action():
    """Rule 22.12."""
    state = given(invoice("F", 100, "2025-03-10")).book.state()
    composed = Composed(WISH, state.entries, "reminder", "email")
    policy = load_policy(given().policy)
    alike = (state, state._replace(company="other"), state._replace(client_id="C2"))
    assert len({compose(one, policy, None, day("2025-03-20"), composed).action.action_id for one in alike}) == 3
