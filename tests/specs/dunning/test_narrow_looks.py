"""Lines that sleep may be left out of a look at their client: what is decided of the others is the same."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import event, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from services.dunning.domain.decision import decide
from services.dunning.domain.narrow import allowed_by, decide_narrowly, may_rest
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.state import ClientState, EntryState, Resting
from services.dunning.domain.verdicts import Decision, Excluded, NotDue
from services.dunning.verdicts_kept import Kept, as_text, kept_on, resting_text
from tests.specs.dunning.given import World, credit, day, entry_id, given, invoice, step, stopped
from tests.specs.dunning.portfolio import portfolio
from tests.specs.dunning.test_properties import POLICIES, cases, entries

CHANGES = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["amount", "due_date", "level", "gone"])), max_size=2
)


def _changed(entry: EntryState, how: str, on: date) -> list[EntryState]:
    match how:
        case "amount":
            return [entry._replace(amount=entry.amount + 10_000, book_amount=entry.book_amount + 10_000)]
        case "due_date":
            return [entry._replace(due_date=on - timedelta(days=9))]
        case "level":
            return [entry._replace(level=min(entry.level + 1, 5), reminded_on=on - timedelta(days=1))]
        case _:
            return []


def _narrowed(client: ClientState, kept: Kept) -> ClientState:
    return client._replace(
        entries=tuple(entry for entry in client.entries if entry.entry_id in kept.awake), resting=kept.resting
    )


@settings(max_examples=300, deadline=None)
@forall(*cases, st.integers(0, 30), CHANGES, entries(9))
def test_the_awake_lines_alone_are_decided_as_among_all(client, policy, scen, as_of, later, changes, new):  # noqa: PLR0917
    """Some lines change, one is new, and a day comes: of the rest only what is kept of the first look is known."""
    if not may_rest(client, policy):
        return
    first, on = decide(client, policy, scen, as_of), as_of + timedelta(days=later)
    touched, now = {new.entry_id}, {entry.entry_id: [entry] for entry in client.entries}
    for number, how in changes:
        if number < len(client.entries):
            one = client.entries[number]
            now[one.entry_id] = _changed(one, how, on)
            touched.add(one.entry_id)
    held = {entry.entry_id for action in client.open_actions for entry in action.entries}
    kept = Kept(resting_text(first, client.entries), touched | held, on)
    client = client._replace(entries=(*(entry for some in now.values() for entry in some), new))
    narrowed = _narrowed(client, kept)
    whole, narrow = decide(client, policy, scen, on), decide_narrowly(narrowed, policy, scen, on)
    event(f"asleep {bool(kept.asleep)}, excluded {bool(kept.resting.against)}, decided {narrow is not None}")
    if narrow is None:
        return
    assert resting_text(narrow, narrowed.entries, kept.asleep) == resting_text(whole, client.entries)
    assert sorted(narrow.actions) == sorted(whole.actions)
    assert (narrow.moves, narrow.withdrawals, narrow.next_on) == (whole.moves, whole.withdrawals, whole.next_on)


def _verdicts(text: str) -> dict[str, object]:
    return {entry: verdict for verdict, entries, *_ in json.loads(text) for entry in entries}


@settings(max_examples=100, deadline=None)
@forall(*cases)
def test_what_is_kept_says_what_was_decided(client, policy, scen, as_of):
    """Whether lines may rest or not, the same is kept of each."""
    decision = decide(client, policy, scen, as_of)
    assert _verdicts(resting_text(decision, client.entries)) == _verdicts(as_text(decision.verdicts))
    assert set(_verdicts(as_text(decision.verdicts))) == {entry.entry_id for entry in client.entries}


# The same without chance (rules 6.1, 8.7, 22.7, 22.14, 22.26)


def _touched(number: int, client: ClientState, on: date) -> tuple[ClientState, set[str]]:
    """Of two clients the one has a line that changed, in one way or another; nothing was heard of the other."""
    how = (None, "amount", None, "due_date", None, "level", None, "gone")[number % 8]
    if how is None:
        return client, set()
    first, *others = client.entries
    return client._replace(entries=(*_changed(first, how, on), *others)), {first.entry_id}


@pytest.mark.parametrize("later", [0, 1, 3, 8, 21])
def test_in_a_whole_portfolio_the_awake_lines_are_decided_as_among_all(later):
    alone = 0
    for number, held in enumerate(portfolio(132)):
        client, policy, scen, on = held.client, held.policy, held.scenario, held.as_of + timedelta(days=later)
        if not may_rest(client, policy):
            continue
        first = decide(client, policy, scen, held.as_of)
        client, touched = _touched(number, client, on)
        kept = Kept(resting_text(first, held.client.entries), touched, on)
        narrowed = _narrowed(client, kept)
        whole = decide(client, policy, scen, on, held.as_of)
        narrow = decide_narrowly(narrowed, policy, scen, on, held.as_of)
        if narrow is None:
            continue
        alone += len(narrowed.entries) < len(client.entries)
        assert resting_text(narrow, narrowed.entries, kept.asleep) == resting_text(whole, client.entries), held
        assert (sorted(narrow.actions), narrow.moves, narrow.withdrawals, narrow.next_on) == (
            sorted(whole.actions),
            whole.moves,
            whole.withdrawals,
            whole.next_on,
        )
    assert alone > 10, "most clients have lines that sleep"


LADDER = (step("R1", 8, "phone"), step("R2", 16, "phone"), step("R3", 24, "phone"))


def _resting(world: World, *awake: str, **rest: object) -> ClientState:
    """The client with these lines awake; the others come to what they come to."""
    state = world.book.state()
    names = {entry_id(name) for name in awake}
    asleep = [entry for entry in state.entries if entry.entry_id not in names]
    fields: dict[str, object] = {"book_amount": sum(entry.book_amount for entry in asleep), **rest}
    entries = tuple(entry for entry in state.entries if entry.entry_id in names)
    return state._replace(entries=entries, resting=Resting(**fields))  # type: ignore[arg-type]


def _narrowly(world: World, client: ClientState, on: str, since: str | None = None) -> Decision | None:
    missed = None if since is None else day(since)
    return decide_narrowly(client, load_policy(world.policy), world.scenario, day(on), missed)


def two_lines(**policy: object) -> World:
    """F comes to R1 on the 18th of March, G on the 28th."""
    facts = (invoice("F", 100, "2025-03-10"), invoice("G", 50, "2025-03-20"))
    return given(*facts, steps=LADDER).with_policy(**policy)


@pytest.mark.parametrize(
    ("policy", "own", "rests"),
    [
        ({}, {}, True),
        ({"mode": "account"}, {}, False),
        ({"netting": "account"}, {}, False),
        ({"netting": "none"}, {}, True),
        ({"upcoming_credits_excluded": True}, {}, False),
        ({"tolerance_amount": "200"}, {}, False),
        ({}, {"tolerance_amount": "200"}, False),
        ({"tolerance_days": 5}, {}, True),
    ],
)
def test_lines_rest_where_no_rule_sums_up_the_account(policy, own, rests):
    """Rules 6.2, 7.2, 7.5, 22.26."""
    world = two_lines(**policy).with_own_policy("2025-03-01", **own)
    state, rules = world.book.state(), load_policy(world.policy)
    assert may_rest(state, rules) is rests
    assert allowed_by(rules) is (rests or "tolerance_amount" in {**policy, **own})


def test_a_tolerated_amount_wants_every_line():
    """Rule 22.26: of the company, or of the client alone."""
    for world in (
        two_lines(tolerance_amount="200"),
        two_lines().with_own_policy("2025-03-01", tolerance_amount=1),
    ):
        assert _narrowly(world, _resting(world, "F"), "2025-03-18") is None


@pytest.mark.parametrize(
    ("until", "on", "next_on"),
    [
        ("2025-03-28", "2025-03-17", "2025-03-18"),
        ("2025-03-18", "2025-03-17", "2025-03-18"),
        ("2025-03-28", "2025-03-18", "2025-03-28"),
        (None, "2025-03-17", "2025-03-18"),
        (None, "2025-03-18", None),
    ],
)
def test_the_day_of_the_next_look_is_the_first_of_those_awake_and_those_at_rest(until, on, next_on):
    """On the eve of R1 and on its day."""
    world = two_lines()
    decided = _narrowly(world, _resting(world, "F", until=until and day(until)), on)
    assert decided is not None
    assert decided.next_on == (next_on and day(next_on))
    assert set(decided.verdicts) == {entry_id("F")}


@pytest.mark.parametrize("held_by", [(), ("entry_stopped",), ("client_stopped",)])
@pytest.mark.parametrize("now_stopped", [False, True])
def test_what_begins_or_ends_against_the_whole_client_wants_every_line(held_by, now_stopped):
    """Rule 8.1: a line at rest was said to be excluded by the stop, or not to be."""
    world = two_lines()
    if now_stopped:
        world.on("2025-03-18", stopped())
    against = frozenset({frozenset(held_by) & {"client_stopped"}}) if held_by else frozenset()
    decided = _narrowly(world, _resting(world, "F", against=against), "2025-03-18")
    said_so = held_by == ("client_stopped",)
    assert (decided is None) is (bool(held_by) and said_so is not now_stopped)


def test_a_credit_by_itself_wants_every_line():
    """Rule 22.14: whether it waits or goes on is told by a debit that may be asleep."""
    world = given(credit("A", 5, "2025-03-10"), invoice("G", 50, "2025-03-20"), steps=LADDER)
    assert _narrowly(world, _resting(world, "A"), "2025-03-17") is not None
    assert _narrowly(world, _resting(world, "A"), "2025-03-18") is None
    world.on("2025-03-18", invoice("F", 100, "2025-03-10"))
    assert _narrowly(world, _resting(world, "A", "F"), "2025-03-18") is not None, "beside an invoice it is netted"
    both = given(credit("A", 5, "2025-03-10"), invoice("F", 10, "2025-03-18"), steps=LADDER)
    assert _narrowly(both, _resting(both, "A", "F"), "2025-03-18") is None, "F waits for R1, and A for F"
    cent = given(invoice("F", "0.0001", "2025-03-10"), invoice("G", 50, "2025-03-20"), steps=LADDER)
    assert _narrowly(cent, _resting(cent, "F"), "2025-03-18") is not None


def test_what_rests_counts_for_the_balance_of_the_account():
    """Rule 8.7: a credit of 200 that sleeps makes a client whom nobody reminds of 100."""
    world = given(invoice("F", 100, "2025-03-10"), credit("A", 200, "2025-03-25"), steps=LADDER)
    decided = _narrowly(world, _resting(world, "F"), "2025-03-18")
    assert decided is not None
    assert decided.verdicts == {entry_id("F"): Excluded("R1", ("creditor_client",))}


def test_a_monthly_round_that_was_missed_is_caught_up_by_the_lines_that_are_awake():
    """Rules 4.20, 22.11: of Thursday the 20th of March, on Saturday and on Monday."""
    calendar = {"weekdays": (1, 2, 3, 4, 5), "month_days": (20,)}
    world = two_lines(calendar=calendar)
    client = _resting(world, "F")
    for on, since, told in (
        ("2025-03-22", "2025-03-19", NotDue("R1", day("2025-03-24"))),
        ("2025-03-24", None, NotDue("R1", day("2025-04-21"))),
    ):
        decided = _narrowly(world, client, on, since)
        assert decided is not None
        assert decided.verdicts == {entry_id("F"): told}
    caught_up = _narrowly(world, client, "2025-03-24", "2025-03-19")
    assert caught_up is not None
    assert [action.step for action in caught_up.actions] == ["R1"]


def test_messages_of_whole_accounts_are_never_looked_at_narrowly():
    """Rules 6.2, 7.2, 7.5: they hold every line, or sum up what sleeps."""
    account = [policy for policy in POLICIES if policy.mode == "account"]
    summing = [one for one in POLICIES if one.netting == "account" or one.upcoming_credits_excluded]
    assert account
    assert summing
    assert not any(map(allowed_by, [*account, *summing]))


def test_what_the_version_before_kept_wants_a_look_at_every_line():
    """While pods are replaced an older one may decide a client, and keeps its verdicts in one line of text."""
    group = '[["not_due","R1","2025-03-18",[],null],["F1"]]'
    other = '[["excluded","R2",null,["entry_stopped"],null],["F2","F3"]]'
    on = date(2025, 3, 18)
    assert kept_on(f"[{group},{other}]", {"F9"}, on) is None
    alone = kept_on(f"[{group}]", {"F9"}, on)
    assert alone is not None
    assert (alone.awake, alone.asleep) == ({"F1", "F9"}, [])


def test_a_line_that_is_heard_of_is_found_whatever_its_name():
    """It may be called as a step is, or be the beginning of another one's name."""
    sooner = '[["not_due","R1","2025-04-01",[],null],["F10","R2"],[10,20],"2025-04-01",30]'
    later = '[["not_due","R2","2025-04-02",[],null],["F1"],[50],"2025-04-02",50]'
    kept = kept_on(f"[{sooner},\n{later}]", {"R2", "F1", "F99"}, date(2025, 3, 18))
    assert kept is not None
    assert kept.awake == {"R2", "F1", "F99"}
    assert kept.asleep == ['[["not_due","R1","2025-04-01",[],null],["F10"],[10],"2025-04-01",10]']
    assert (kept.resting.book_amount, kept.resting.until) == (10, date(2025, 4, 1))


def test_a_group_wakes_on_its_day_and_not_on_the_eve():
    """The eve, the day, the day after; one that no day wakes sleeps on."""
    group = '[["not_due","R1","2025-04-01",[],null],["F1"],[10],"2025-04-01",10]'
    never = '[["no_step",null,null,["exhausted"],null],["F2"],[20],null,20]'
    for on, awake in ((date(2025, 3, 31), set()), (date(2025, 4, 1), {"F1"}), (date(2025, 4, 2), {"F1"})):
        kept = kept_on(f"[{never},\n{group}]", set(), on)
        assert kept is not None
        assert kept.awake == awake
        assert kept.resting.until == (None if awake else date(2025, 4, 1))
        assert kept.resting.book_amount == (20 if awake else 30)
