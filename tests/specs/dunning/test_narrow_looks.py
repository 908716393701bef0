"""Lines that sleep may be left out of a look at their client: what is decided of the others is the same."""

import json
from datetime import date, timedelta

from hypothesis import event, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from services.dunning.domain.decision import decide
from services.dunning.domain.narrow import allowed_by, decide_narrowly, may_rest
from services.dunning.domain.state import ClientState, EntryState
from services.dunning.verdicts_kept import Kept, as_text, kept_on, resting_text
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
    day = date(2025, 3, 18)
    assert kept_on(f"[{group},{other}]", {"F9"}, day) is None
    alone = kept_on(f"[{group}]", {"F9"}, day)
    assert alone is not None
    assert (alone.awake, alone.asleep) == ({"F1", "F9"}, [])
