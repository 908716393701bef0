"""What holds whatever the facts: determinism, nothing asked for nothing, incremental equals full."""

from datetime import date, timedelta

from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from contracts.dunning import PolicyChanged
from services.dunning.domain.amounts import amount_text, decimal
from services.dunning.domain.decision import decide
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.state import ClientState, Contact, EntryState
from services.dunning.domain.triggers import ONE_DAY
from services.dunning.domain.verdicts import Due, NotDue
from tests.specs.dunning.given import COMPANY, STANDARD, World, at_level, given, invoice, previous, scenario, step
from tests.specs.dunning.given import credit as credit_note

D0 = date(2025, 1, 1)
days = st.integers(0, 90).map(lambda n: D0 + timedelta(days=n))
maybe_day = st.none() | days
SCENARIOS = [
    load_scenario(scenario(*steps))
    for steps in (
        STANDARD,
        (step("R1", 0), step("R2", 10), step("R3", 20, mode="automatic")),
        (step("R1", 5), previous("R2", 5, ignorable=True), previous("R3", 5, end_of_month=True)),
        (step("R1", 5, counted_from="invoice_date"), previous("R2", 1)),
    )
]
POLICIES = [
    load_policy(PolicyChanged.model_validate({"version": 1, **options}))
    for options in (
        {},
        {"promises_exclude": True, "minimum_per_entry": "20", "minimum_per_reminder": "50"},
        {"netting": "none", "maximum_per_reminder": "300"},
        {"netting": "account"},
        {"mode": "account", "promises_exclude": True},
        {"disputes_exclude": True, "minimum_per_entry": "20"},
        {"contact_gap_days": 5, "tolerance_days": 4},
        {"upcoming_credits_excluded": True, "tolerance_amount": "120", "netting": "account"},
        {"mode": "account", "contact_gap_days": 3, "tolerance_days": 7, "tolerance_amount": "50"},
        {"automatic_from": "2025-01-20", "stale_after_days": 3, "upcoming_credits_excluded": True},
        {"automatic_from": "2025-01-01", "mode": "account", "contact_gap_days": 2, "tolerance_days": 1},
    )
]


@st.composite
def entries(draw: st.DrawFn, number: int) -> EntryState:
    amount = draw(st.integers(-200, 400).filter(bool)) * 10_000
    level = draw(st.integers(0, 4))
    promised = sorted(draw(st.lists(days, max_size=2)))
    return EntryState(
        entry_id=f"{number:032x}",
        currency=draw(st.sampled_from(["EUR", "EUR", "USD"])),
        amount=amount,
        book_amount=amount,
        due_date=draw(days),
        counted_on=draw(days),
        payment_mode=None,
        level=level,
        reminded_on=draw(days) if level else None,
        noticed_on=draw(maybe_day),
        stopped=draw(st.booleans()) and draw(st.booleans()),
        lettering_error=draw(st.booleans()) and draw(st.booleans()),
        reopened_on=draw(maybe_day),
        first_promise_on=promised[0] if promised else None,
        last_promise_on=promised[-1] if promised else None,
        resumes_on=draw(maybe_day),
        disputed=draw(st.booleans()) and draw(st.booleans()),
        automatic=draw(st.sampled_from([None, None, True, False])),
    )


@st.composite
def clients(draw: st.DrawFn) -> ClientState:
    count = draw(st.integers(0, 7))
    lines = tuple(draw(entries(number)) for number in range(count))
    stopped, disputed = draw(st.integers(0, 9)) == 0, draw(st.integers(0, 9)) == 0
    resumes_on = draw(maybe_day) if stopped else None
    # the round that led to a contact was before it: here before every day that is decided
    contacts = [
        Contact(on, draw(st.sampled_from([None, D0 - ONE_DAY]))) for on in draw(st.lists(days, max_size=2))
    ]
    return ClientState(
        COMPANY,
        "C1",
        None,
        True,
        stopped,
        None,
        lines,
        resumes_on=resumes_on,
        disputed=disputed,
        never=draw(st.integers(0, 19)) == 0,
        tolerance_days=draw(st.sampled_from([None, None, None, 0, 12])),
        tolerance_amount=draw(st.sampled_from([None, None, None, 0, 800_000])),
        contacts=tuple(sorted(contacts, key=lambda contact: contact.on, reverse=True)),
        synced_on=draw(maybe_day),
    )


cases = (clients(), st.sampled_from(POLICIES), st.sampled_from(SCENARIOS), days)


def as_known_on(as_of: date, client: ClientState) -> ClientState:
    """The client without steps carried out after ``as_of``. On its day such a step would keep the entry out of the
    account's message; nobody who looks earlier could name that day.
    """

    def no_later(on: date | None) -> date | None:
        return None if on is None else min(on, as_of)

    lines = (
        one._replace(reminded_on=no_later(one.reminded_on), noticed_on=no_later(one.noticed_on))
        for one in client.entries
    )
    return client._replace(entries=tuple(lines))


@settings(max_examples=300, deadline=None)
@forall(*cases)
def test_the_same_facts_give_the_same_answer_in_any_order(client, policy, scen, as_of):
    one = decide(client, policy, scen, as_of)
    other = decide(client._replace(entries=tuple(reversed(client.entries))), policy, scen, as_of)
    assert one.verdicts == other.verdicts
    assert sorted(one.actions) == sorted(other.actions)
    assert sorted(one.moves) == sorted(other.moves)
    assert one.next_on == other.next_on


@settings(max_examples=300, deadline=None)
@forall(*cases)
def test_every_open_entry_has_a_verdict_and_stands_in_one_action_at_most(client, policy, scen, as_of):
    decision = decide(client, policy, scen, as_of)
    assert set(decision.verdicts) == {entry.entry_id for entry in client.entries}
    held = [entry.entry_id for action in decision.actions for entry in action.entries]
    assert len(held) == len(set(held))
    due = {key for key, verdict in decision.verdicts.items() if isinstance(verdict, Due)}
    assert due == set(held)


@settings(max_examples=300, deadline=None)
@forall(*cases)
def test_no_action_asks_for_nothing_and_no_entry_has_two_steps_a_day(client, policy, scen, as_of):
    decision = decide(client, policy, scen, as_of)
    by_id = {entry.entry_id: entry for entry in client.entries}
    for action in decision.actions:
        assert action.net_amount > 0
        assert len({by_id[entry.entry_id].currency for entry in action.entries}) == 1
        for entry in action.entries:
            assert as_of not in (by_id[entry.entry_id].reminded_on, by_id[entry.entry_id].noticed_on)


@settings(max_examples=300, deadline=None)
@forall(*cases)
def test_what_comes_later_comes_later(client, policy, scen, as_of):
    decision = decide(client, policy, scen, as_of)
    until = [verdict.until for verdict in decision.verdicts.values() if isinstance(verdict, NotDue)]
    assert all(on > as_of for on in until)
    assert decision.next_on is None or decision.next_on > as_of


@settings(max_examples=300, deadline=None)
@forall(*cases, st.integers(1, 40))
def test_nothing_changes_before_the_day_that_was_named(client, policy, scen, as_of, later):
    """Looking only at those whose day has come equals looking at all (incremental equals full)."""
    client = as_known_on(as_of, client)
    first = decide(client, policy, scen, as_of)
    on = as_of + timedelta(days=later)
    if first.actions or first.moves or (first.next_on is not None and on >= first.next_on):
        return
    second = decide(client, policy, scen, on)
    assert (second.verdicts, second.actions, second.moves) == (first.verdicts, [], [])


def _world(facts: list[tuple[bool, int, int, int]], policy: dict[str, object]) -> World:
    world = given(steps=(step("notice", 3), step("R1", 4), previous("R2", 5, ignorable=True), previous("R3", 4)))
    world.with_policy(**policy)
    for number, (is_credit, amount, due, level) in enumerate(facts):
        make = credit_note if is_credit else invoice
        world.on("2025-01-01", make(f"E{number}", amount, (D0 + timedelta(days=due)).isoformat()))
        if level:
            world.on("2025-01-01", at_level(f"E{number}", f"R{level}", "2025-01-01"))
    return world


facts = st.lists(
    st.tuples(st.booleans(), st.integers(1, 300), st.integers(0, 15), st.integers(0, 2)), min_size=1, max_size=5
)


LIVED: list[dict[str, object]] = [
    {},
    {"mode": "account"},
    {"netting": "account"},
    {"contact_gap_days": 3, "tolerance_days": 6},
    {"tolerance_amount": "90", "upcoming_credits_excluded": True, "mode": "account"},
    {"contact_gap_days": 7, "tolerance_amount": "60", "netting": "account"},
]


@settings(max_examples=100, deadline=None)
@forall(facts, st.sampled_from(LIVED), st.integers(2, 5))
def test_looking_only_when_named_gives_the_history_of_looking_every_day(lines, policy, every):
    """Two copies of one world over forty days, actions carried out now and then."""
    eager, lazy = _world(lines, policy), _world(lines, policy)
    named: date | None = D0
    for number in range(40):
        on = D0 + timedelta(days=number)
        eager.when(on.isoformat())
        if named is not None and named <= on:
            named = lazy.when(on.isoformat()).decision.next_on
        assert set(eager.book.actions) == set(lazy.book.actions), on
        assert eager.book.stages == lazy.book.stages, on
        if number % every == 0 and eager.book.actions:
            eager.carry_out(on.isoformat())
            lazy.carry_out(on.isoformat())
            named = on


@forall(st.integers(-(10**15), 10**15))
def test_an_amount_is_spelled_as_the_decimal_it_is(amount):
    """Rule 1.7: exact, with two decimals wherever they are enough."""
    assert amount_text(amount) == f"{decimal(amount):f}"
