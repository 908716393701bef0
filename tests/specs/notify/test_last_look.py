"""The last look before a message leaves (rules 8.1, 8.2, 8.5, 5.8, 8.15, 10.5, 22.10, 22.32)."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from services.notify import queries
from services.notify.domain import NotYetHeard, WithholdReason, last_look
from tests.specs.notify.given import DAY, action, entry, situation

EVE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
INVOICE = entry("FAC1", "100")


def look(*now: Any, decided: Any = None, despite: tuple[str, ...] = (), **facts: Any) -> object:
    lines = decided or now or (INVOICE,)
    return last_look(action(lines), situation(*now, **facts), DAY, frozenset(despite))


def test_nothing_speaks_against_a_message_that_is_still_true() -> None:
    assert look(INVOICE) is None


def test_an_entry_not_heard_of_yet_makes_the_message_wait() -> None:
    assert look(decided=(INVOICE,)) is NotYetHeard.ENTRY
    assert look(decided=(INVOICE,), withdrawn=True) is WithholdReason.ACTION_WITHDRAWN


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"withdrawn": True}, WithholdReason.ACTION_WITHDRAWN),
        ({"client_removed": True}, WithholdReason.CLIENT_REMOVED),
        ({"client_stopped": True}, WithholdReason.CLIENT_STOPPED),
    ],
)
def test_the_client_or_dunning_speaks_against_it(facts: dict[str, Any], reason: WithholdReason) -> None:
    assert look(INVOICE, **facts) is reason


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"lettered": True}, WithholdReason.ENTRY_LETTERED),
        ({"removed": True}, WithholdReason.ENTRY_REMOVED),
        ({"stopped": True}, WithholdReason.ENTRY_STOPPED),
    ],
)
def test_one_entry_that_changed_holds_the_whole_message_back(
    facts: dict[str, Any], reason: WithholdReason
) -> None:
    other = entry("FAC2", "50", **facts)
    assert look(INVOICE, other) is reason


def test_an_amount_or_a_due_date_that_changed_would_make_the_message_wrong() -> None:
    assert look(entry("FAC1", "99"), decided=(INVOICE,)) is WithholdReason.ENTRY_CHANGED
    assert look(entry("FAC1", "100", due=DAY), decided=(INVOICE,)) is WithholdReason.ENTRY_CHANGED


@pytest.mark.parametrize(
    ("promised", "held"),
    [((EVE,), False), ((DAY,), False), ((AFTER,), True), ((EVE, AFTER), False), ((DAY, AFTER), True), ((), False)],
)
def test_a_promise_ahead_holds_it_back_where_the_company_chose_so(promised: tuple[date, ...], held: bool) -> None:
    line = entry("FAC1", "100", promised_on=promised)
    assert look(line, promises_exclude=True) == (WithholdReason.PROMISE_AHEAD if held else None)
    assert look(line) is None


@pytest.mark.parametrize(("resumes_on", "held"), [(AFTER, True), (DAY, False), (EVE, False), (None, True)])
def test_a_stop_holds_it_back_until_the_day_it_ends(resumes_on: date | None, held: bool) -> None:
    """Rules 8.1, 8.2."""
    line = entry("FAC1", "100", stopped=True, resumes_on=resumes_on)
    assert look(line) == (WithholdReason.ENTRY_STOPPED if held else None)
    whole = look(INVOICE, client_stopped=True, client_resumes_on=resumes_on)
    assert whole == (WithholdReason.CLIENT_STOPPED if held else None)


def test_a_dispute_holds_it_back_where_the_company_chose_so() -> None:
    """Rules 8.10, 22.5."""
    line = entry("FAC1", "100", disputed=True)
    assert look(line) is None
    assert look(line, disputes_exclude=True) is WithholdReason.DISPUTED
    assert look(INVOICE, client_disputed=True, disputes_exclude=True) is WithholdReason.DISPUTED
    assert look(line, disputes_exclude=True, despite=("disputed",)) is None
    settled = entry("FAC1", "100", disputed=True, lettered=True)
    thanks = action([settled], kind="thanks", step="thanks")
    assert last_look(thanks, situation(settled, disputes_exclude=True), DAY) is None


@pytest.mark.parametrize(("promised", "held"), [(EVE, False), (DAY, True), (AFTER, True)])
def test_a_promise_that_came_since_the_decision_holds_it_back_whatever_the_company_chose(
    promised: date, held: bool
) -> None:
    """Rule 22.32: who decided did not know of it; one for a day that is over promises nothing any more."""
    line = entry("FAC1", "100", promised_on=(promised,), promised_since=(promised,))
    assert look(line) == (WithholdReason.PROMISED_SINCE if held else None)
    despite = ("promise_ahead", "disputed")
    assert look(line, despite=despite) == (WithholdReason.PROMISED_SINCE if held else None)


def test_a_dispute_that_came_since_the_decision_holds_it_back_whatever_the_company_chose() -> None:
    """Rule 22.32."""
    assert look(entry("FAC1", "100", disputed=True, disputed_since=True)) is WithholdReason.DISPUTED_SINCE
    assert look(INVOICE, client_disputed=True, client_disputed_since=True) is WithholdReason.DISPUTED_SINCE
    settled = entry("FAC1", "100", disputed_since=True, lettered=True)
    thanks = action([settled], kind="thanks", step="thanks")
    assert last_look(thanks, situation(settled), DAY) is None


def test_an_answer_that_came_since_the_decision_holds_it_back_once() -> None:
    """Rule 22.33: whoever decided did not know of it; a thank-you goes all the same."""
    assert look(INVOICE, replied_since=True) is WithholdReason.REPLIED_SINCE
    assert look(INVOICE, replied_since=False) is None
    settled = entry("FAC1", "100", lettered=True)
    thanks = action([settled], kind="thanks", step="thanks")
    assert last_look(thanks, situation(settled, replied_since=True), DAY) is None


def test_what_was_paid_online_since_is_not_asked_for() -> None:
    """Rules 8.6, 8.15: unless a person knew and asked all the same."""
    line = entry("FAC1", "100", paid_online=True)
    assert look(line) is WithholdReason.PAID_ONLINE
    assert look(line, despite=("paid_online",)) is None
    settled = entry("FAC1", "100", paid_online=True, lettered=True)
    assert last_look(action([settled], kind="thanks", step="thanks"), situation(settled), DAY) is None


def test_nothing_leaves_for_nothing() -> None:
    credit = entry("AV1", "-100")
    assert look(INVOICE, credit) is WithholdReason.NOTHING_DUE
    assert look(INVOICE, entry("AV1", "-99.99")) is None


def test_a_person_may_set_aside_a_stop_or_a_promise_but_not_a_payment() -> None:
    promised = entry("FAC1", "100", promised_on=(AFTER,), stopped=True)
    despite = ("client_stopped", "entry_stopped", "promise_ahead", "entry_lettered", "below_minimum")
    assert look(promised, client_stopped=True, promises_exclude=True, despite=despite) is None
    assert look(entry("FAC1", "100", lettered=True), despite=despite) is WithholdReason.ENTRY_LETTERED
    assert look(INVOICE, withdrawn=True, despite=despite) is WithholdReason.ACTION_WITHDRAWN


def test_a_thank_you_speaks_of_settled_entries() -> None:
    settled = entry("FAC1", "100", lettered=True)
    thanks = action([settled], kind="thanks", step="thanks")
    assert last_look(thanks, situation(settled), DAY) is None
    assert last_look(thanks, situation(settled, client_stopped=True), DAY) is WithholdReason.CLIENT_STOPPED
    opened_again = entry("FAC1", "100")
    assert last_look(thanks, situation(opened_again), DAY) is WithholdReason.LETTERING_UNDONE


def test_every_reason_has_a_spec() -> None:
    """Habit 6: a reason added to the rule is added here."""
    assert set(WithholdReason) == {
        WithholdReason.ACTION_WITHDRAWN,
        WithholdReason.CLIENT_REMOVED,
        WithholdReason.CLIENT_STOPPED,
        WithholdReason.ENTRY_STOPPED,
        WithholdReason.ENTRY_REMOVED,
        WithholdReason.ENTRY_LETTERED,
        WithholdReason.LETTERING_UNDONE,
        WithholdReason.ENTRY_CHANGED,
        WithholdReason.PROMISE_AHEAD,
        WithholdReason.DISPUTED,
        WithholdReason.PROMISED_SINCE,
        WithholdReason.DISPUTED_SINCE,
        WithholdReason.PAID_ONLINE,
        WithholdReason.REPLIED_SINCE,
        WithholdReason.NOTHING_DUE,
    }


def test_the_mark_of_a_situation_is_made_of_every_table_that_it_is_read_from() -> None:
    """Else a change of the one that is missing would not be seen at the door."""
    read = set(re.findall(r"(?:from|join) ([a-z_]+)", f"{queries.ACTIONS} {queries.ENTRIES}")) - {
        "a",
        "e",
        "lateral",
    }
    marked = set(re.findall(r"(?:from|join) ([a-z_]+)", queries.MARKS))
    assert {"entry", "policy", "promise"} <= read
    # the view ``entry`` shows what these lines tell
    assert {"synced_lines" if table == "entry" else table for table in read} <= marked


def _tables(*statements: str) -> set[str]:
    return {table for one in statements for table in re.findall(r"(?:from|join) ([a-z_]+)", one)}
