"""Time travel: the statement of a client as it was known on a day (rules 1.2, 1.8, 1.9, 2.8)."""

from decimal import Decimal
from uuid import UUID

from contracts import dunning, ledger
from contracts.dunning import PolicyChanged
from services.dunning.domain.memory import Since
from services.dunning.domain.statement import Statement, StatementLine, statement
from tests.specs.dunning.given import (
    CLIENT,
    STANDARD,
    at_level,
    credit,
    day,
    dispute_closed,
    disputed,
    entry_id,
    entry_resumed,
    entry_stopped,
    invoice,
    promise,
    promise_cancelled,
    resumed,
    scenario,
    stopped,
)
from tests.specs.dunning.life import Life


def life(*facts: object) -> Life:
    return Life(scenario(*STANDARD), PolicyChanged(version=1)).on("2025-03-01", *facts)  # type: ignore[arg-type]


def read(one: Life, on: str) -> Statement:
    return statement(one.book, one.memory(), day(on))


def line(one: Life, on: str, name: str = "F1") -> StatementLine:
    return next(found for found in read(one, on).lines if found.line.piece == name)


def test_days_late_and_the_badge_on_the_eve_the_day_and_the_day_after():
    one = life(invoice("F1", 100, "2025-03-10"))
    told = [(found.late, found.badge) for found in (line(one, f"2025-03-{number:02}") for number in (9, 10, 11))]
    assert told == [(-1, "upcoming"), (0, "upcoming"), (1, "late")]


def test_late_ends_with_the_latest_line_of_the_group_in_whatever_order_lines_come():
    one = life(
        credit("P2", 40, "2025-03-15"),
        credit("P1", 60, "2025-03-12"),
        invoice("F1", 100, "2025-03-10", entry_date="2025-02-01"),
    )
    assert line(one.lettered("2025-03-16", "F1", "P1", "P2"), "2025-03-31").late == 5


def test_cents_and_lines_about_nothing_have_their_colour_as_well():
    """Rule 1.9: no credit, so late when it is."""
    one = life(
        invoice("F1", "0.80", "2025-03-10"), invoice("Z", 0, "2025-03-10"), credit("A1", "0.80", "2025-03-10")
    )
    assert [line(one, "2025-03-11", name).badge for name in ("F1", "Z", "A1")] == ["late", "late", "settled"]


def test_a_credit_and_a_lettered_debit_are_settled_and_late_ends_with_the_last_line_of_the_group():
    one = life(
        invoice("F1", 100, "2025-03-10", entry_date="2025-02-01"),
        credit("P1", 60, "2025-03-12"),
        credit("P2", 40, "2025-03-15"),
        credit("P3", 5, "2025-03-20"),
    )
    assert line(one, "2025-03-31", "P1").badge == "settled"
    one.lettered("2025-03-16", "F1", "P1", "P2")
    found = line(one, "2025-03-31")
    assert (found.open, found.late, found.badge) == (False, 5, "settled")
    assert line(one, "2025-03-31", "P3").late == 11
    other = life(
        invoice("F1", 100, "2025-03-10", account="411"), credit("P1", 100, "2025-03-15", account="412")
    ).lettered("2025-03-16", "F1", "P1")
    assert line(other, "2025-03-31").late == 0, "the same code of another account is another group"


def test_a_line_that_accounting_took_back_is_not_on_it_and_ends_no_group():
    one = life(invoice("F1", 100, "2025-03-10", entry_date="2025-02-01"), credit("P1", 100, "2025-03-15"))
    one.lettered("2025-03-16", "F1", "P1").changed("2025-03-17", "P1", removed=True)
    assert [found.line.piece for found in read(one, "2025-03-31").lines] == ["F1"]
    assert line(one, "2025-03-31").late == -37


def test_totals_are_of_the_open_lines_and_the_balance_is_of_the_books():
    one = life(
        invoice("F1", 100, "2025-03-10"),
        invoice("F2", 50, "2025-03-11", currency="USD", book_amount=Decimal(45)),
        credit("A1", 30, "2025-03-12"),
        invoice("F3", 7, "2025-03-13", lettering="A"),
    )
    found = read(one, "2025-03-31")
    assert (found.on, found.debit, found.credit, found.balance) == (day("2025-03-31"), 150, 30, 115)
    empty = read(life(), "2025-03-31")
    assert (empty.lines, empty.debit, empty.credit, empty.balance) == ((), 0, 0, 0)


def test_lines_stand_by_due_date_then_entry_date_piece_and_identity():
    one = life(
        invoice("B", 1, "2025-03-10", entry_date="2025-02-01"),
        invoice("A", 1, "2025-03-10", entry_date="2025-02-01"),
        invoice("C", 1, "2025-03-10", entry_date="2025-01-01"),
        invoice("D", 1, "2025-03-09", entry_date="2025-02-20"),
    )
    assert [found.line.piece for found in read(one, "2025-03-31").lines] == ["D", "C", "A", "B"]


def test_a_lettering_that_does_not_balance_leaves_its_lines_open_with_the_difference():
    one = life(invoice("F1", 100, "2025-03-10"), invoice("F2", 5, "2025-03-10"), credit("P1", 99, "2025-03-12"))
    one.lettered("2025-03-13", "F1", "P1")
    fields = {"client_id": CLIENT, "account": "411", "lettering": "A"}
    one.on("2025-03-13", ledger.LetteringErrorFound(**fields, difference=Decimal(1)))
    assert (line(one, "2025-03-31").open, line(one, "2025-03-31").error) == (True, Decimal(1))
    assert line(one, "2025-03-31", "F2").error is None
    assert (line(one, "2025-03-31").badge, line(one, "2025-03-31").late) == ("late", 21)
    one.on("2025-03-14", ledger.LetteringErrorCleared(**fields))
    assert (line(one, "2025-03-31").open, line(one, "2025-03-31").error) == (False, None)


def test_what_people_said_of_a_line_stands_on_it_until_they_take_it_back():
    one = life(invoice("F1", 100, "2025-03-10"), invoice("F2", 100, "2025-03-10"))
    plain = line(one, "2025-03-05")
    assert (plain.level, plain.stop, plain.resumes_on, plain.expected_on) == (None, None, None, None)
    assert (plain.dispute, plain.promises, plain.notes, plain.excluded, plain.action_id) == (None, (), 0, (), None)
    one.on("2025-03-11", disputed("F1"), entry_stopped("F1", "2025-04-01"), at_level("F1", "R2", "2025-03-11"))
    one.on("2025-03-12", promise("F1", "2025-03-30"), promise("F1", "2025-03-20"), promise("F2", "2025-03-25"))
    expected = ledger.EntryRepositioned(client_id=CLIENT, entry_id=entry_id("F1"), expected_on=day("2025-05-01"))
    notes = [
        ledger.NoteAdded(note_id=UUID(int=number), client_id=CLIENT, entry_id=of)
        for number, of in enumerate((entry_id("F1"), entry_id("F1"), None))
    ]
    one.on("2025-03-13", expected, *notes)
    found = line(one, "2025-03-31")
    assert found.level == "R2"
    assert found.stop == Since(day("2025-03-11"), "user:anna")
    assert found.resumes_on == day("2025-04-01")
    assert found.expected_on == day("2025-05-01")
    assert found.dispute is not None
    assert found.dispute[1] == "price"
    assert [one.promised_on.isoformat() for one in found.promises] == ["2025-03-20", "2025-03-30"]
    assert found.notes == 2
    assert line(one, "2025-03-31", "F2").notes == 0
    back = ledger.EntryRepositioned(client_id=CLIENT, entry_id=entry_id("F1"))
    one.on("2025-03-14", dispute_closed("F1"), entry_resumed("F1"), promise_cancelled("F1", "2025-03-30"), back)
    found = line(one, "2025-03-31")
    assert (found.stop, found.dispute, found.expected_on) == (None, None, None)
    assert [one.promised_on.isoformat() for one in found.promises] == ["2025-03-20"]


def test_the_action_that_holds_a_line_and_the_reasons_that_held_it_back_stand_on_it():
    one = life(invoice("F1", 100, "2025-03-10"), invoice("F2", 100, "2025-06-10"))
    decided = one.when("2025-03-18")
    (planned,) = decided.decision.actions
    assert line(one, "2025-03-18").action_id == planned.action_id
    assert line(one, "2025-03-18", "F2").action_id is None
    held = dunning.ExcludedEntry(entry_id=entry_id("F1"), step="R1", reasons=("client_stopped",))
    one.on("2025-03-19", dunning.ActionExcluded(client_id=CLIENT, entries=(held,)))
    assert line(one, "2025-03-19").excluded == ("client_stopped",)
    free = held.model_copy(update={"reasons": ()})
    one.on("2025-03-20", dunning.ActionExcluded(client_id=CLIENT, entries=(free, free)))
    assert line(one, "2025-03-20").excluded == ()


def test_what_is_remembered_of_the_client_and_of_its_actions():
    one = life(invoice("F1", 100, "2025-03-10"), stopped(), disputed())
    assert one.memory().stop == Since(day("2025-03-01"), "user:anna")
    (dispute,) = one.memory().disputes.values()
    assert (dispute.entry_id, dispute.reason, dispute.since.by) == (None, "price", "user:anna")
    assert one.on("2025-03-02", resumed()).memory().stop is None
    made = one.on("2025-03-02", promise("F1", "2025-04-01")).memory().promises
    (kept,) = made.values()
    assert (kept.amount, kept.currency, kept.promised_on) == (Decimal(1), "EUR", day("2025-04-01"))
    assert (kept.entry_id, kept.since) == (entry_id("F1"), Since(day("2025-03-02"), "user:anna"))
    late = ledger.PromiseBroken(
        **dict.fromkeys(("client_id",), CLIENT), promise_id=kept.promise_id, entry_id=kept.entry_id
    )
    assert one.on("2025-04-02", late).memory().promises == made, "late, and still a promise"
    planned = next(iter(one.when("2025-04-02").decision.actions))
    one.confirm_all("2025-04-03")
    action = one.memory().actions[planned.action_id]
    assert (action.opened, action.confirmed) == (
        Since(day("2025-04-02"), "system"),
        Since(day("2025-04-03"), "user:bert"),
    )
    assert action.action == one.said[planned.action_id]
    withdrawn = dunning.ActionWithdrawn(action_id=planned.action_id, client_id=CLIENT, reason="settled")
    assert one.on("2025-04-04", withdrawn).memory().actions == {}
    assert one.on("2025-04-04", withdrawn).memory().actions == {}


def test_an_action_that_nobody_was_asked_about_is_opened_and_confirmed_at_once():
    one = life(invoice("F1", 100, "2025-03-10"))
    (planned,) = one.when("2025-03-18").decision.actions
    alone = life()
    alone.on("2025-03-18", dunning.ActionDue(action=one.said[planned.action_id]))
    (action,) = alone.memory().actions.values()
    assert action.opened == action.confirmed == Since(day("2025-03-18"), "user:anna")
    done = dunning.ActionDone(
        action_id=planned.action_id,
        client_id=CLIENT,
        step="R1",
        medium="email",
        done_on=day("2025-03-19"),
        levels=(),
    )
    assert alone.on("2025-03-19", done).memory().actions == {}
