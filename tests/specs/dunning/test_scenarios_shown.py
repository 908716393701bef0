"""What the editor of a scenario shows: its days on an invoice, and what a new version changes (rules 4.1, 4.9)."""

import pytest

from contracts.dunning import SendingCalendar
from services.dunning.domain.calendar import CompanyDays
from services.dunning.domain.scenario import load, thanks_switched_on
from services.dunning.domain.scenario_changes import Change, changes
from services.dunning.domain.timeline import Stop, example_dates, timeline
from tests.specs.dunning.given import STANDARD, day, previous, scenario, step

INVOICED, DUE = day("2025-02-10"), day("2025-03-10")


def stops(*steps: object, company: CompanyDays | None = None) -> list[Stop]:
    loaded = load(scenario(*steps)) if company is None else load(scenario(*steps), company)  # type: ignore[arg-type]
    plan = loaded.plan(True)
    assert plan is not None
    return timeline(plan, INVOICED, DUE)


def test_each_step_stands_on_its_day_with_the_days_counted_from_the_due_date():
    assert stops(*STANDARD) == [
        Stop("notice", "email", False, day("2025-03-02"), None, -8, None),
        Stop("R1", "email", False, day("2025-03-18"), None, 8, None),
        Stop("R2", "phone", False, day("2025-03-26"), None, 16, None),
        Stop("R3", "phone", False, day("2025-04-03"), None, 24, None),
        Stop("R4", "letter", False, day("2025-04-11"), None, 32, None),
        Stop("R5", "letter", False, day("2025-04-19"), None, 40, None),
    ]


def test_it_counts_from_the_invoice_where_the_step_does():
    (first,) = stops(step("R1", 30, counted_from="invoice_date"))
    assert (first.on, first.days_late) == (day("2025-03-12"), 2)


def test_a_day_that_is_closed_is_shown_with_the_day_it_was_moved_from():
    """The 18th of March is a Tuesday, the 22nd a Saturday."""
    company = CompanyDays(SendingCalendar(weekdays=(1, 2, 3, 4, 5)))
    first, second = stops(step("R1", 8), previous("R2", 4), company=company)
    assert (first.on, first.moved_from) == (day("2025-03-18"), None)
    assert (second.on, second.moved_from, second.days_late) == (day("2025-03-24"), day("2025-03-22"), 14)


def test_the_hour_is_shown_where_the_step_leaves_by_itself():
    company = CompanyDays(SendingCalendar(not_before="08:30"))
    first, second = stops(step("R1", 8, mode="automatic"), previous("R2", 4), company=company)
    assert (first.automatic, first.not_before) == (True, "08:30")
    assert (second.automatic, second.not_before) == (False, None)
    own = step("R1", 8, mode="automatic", calendar={"not_before": "10:00"})
    assert [one.not_before for one in stops(own, company=company)] == ["10:00"]


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ("2025-01-01", ("2025-01-01", "2025-03-31")),
        ("2025-01-31", ("2025-01-01", "2025-03-31")),
        ("2025-02-15", ("2025-02-01", "2025-03-31")),
        ("2025-03-15", ("2025-03-01", "2025-04-30")),
        ("2025-11-30", ("2025-11-01", "2025-12-31")),
    ],
)
def test_the_example_is_an_invoice_of_the_first_of_this_month_due_thirty_days_end_of_month(today, expected):
    assert tuple(one.isoformat() for one in example_dates(day(today))) == expected


def test_a_first_version_brings_every_step():
    found = changes(None, scenario(step("R1", 8), without=[]))
    assert [(one.variant, one.step, one.field, one.before) for one in found] == [("with_email", "R1", None, None)]
    assert found[0].after["delay_days"] == 8


def test_the_same_scenario_changes_nothing():
    assert changes(scenario(*STANDARD), scenario(*STANDARD)) == []


def test_changes_are_named_field_by_field_in_the_order_of_the_steps():
    before = scenario(step("notice", 8), step("R1", 8), previous("R2", 5), without=[])
    after = scenario(step("R1", 10, template="soft"), step("R3", 20), previous("R2", 5), without=[])
    found = changes(before, after)
    assert [(one.step, one.field) for one in found] == [
        ("notice", None),
        ("R1", "delay_days"),
        ("R1", "template"),
        ("R3", None),
    ]
    assert {one.variant for one in found} == {"with_email"}
    assert found[0].before["step"] == "notice"
    assert found[0].after is None
    assert found[1] == Change("with_email", "R1", "delay_days", 8, 10)
    assert found[2] == Change("with_email", "R1", "template", "R1", "soft")
    assert found[3].before is None
    assert found[3].after["step"] == "R3"


def test_a_variant_that_is_switched_off_or_on_is_named_before_its_steps():
    on = scenario(step("R1", 8), without=[step("R1", 8, "letter")])
    off = scenario(step("R1", 9), without=[step("R1", 8, "letter")], with_email_enabled=False)
    assert changes(on, off) == [
        Change("with_email", None, "enabled", True, False),
        Change("with_email", "R1", "delay_days", 8, 9),
    ]
    without = on.model_copy(update={"without_email_enabled": False})
    assert changes(without, on) == [Change("without_email", None, "enabled", False, True)]
    assert [one.field for one in changes(None, without)] == [None, None]


def test_a_step_of_the_other_variant_is_another_step():
    before = scenario(step("R1", 8), without=[step("R1", 8, "letter")])
    after = scenario(step("R1", 8), without=[step("R1", 9, "letter")])
    assert changes(before, after) == [Change("without_email", "R1", "delay_days", 8, 9)]


def test_somebody_is_thanked_where_a_variant_that_is_on_has_the_step_on():
    """Rule 12.3."""
    thanks, quiet = step("thanks", 3, counted_from="payment_date"), [step("R1", 8, "letter")]
    off = step("thanks", 3, counted_from="payment_date", enabled=False)
    assert thanks_switched_on(scenario(step("R1", 8), thanks, without=quiet))
    assert thanks_switched_on(scenario(step("R1", 8), without=[*quiet, thanks]))
    assert not thanks_switched_on(scenario(step("R1", 8), off, without=quiet))
    assert not thanks_switched_on(scenario(step("R1", 8), thanks, without=quiet, with_email_enabled=False))
    assert not thanks_switched_on(scenario(step("R1", 8), without=[*quiet, thanks], without_email_enabled=False))
    assert not thanks_switched_on(scenario(step("R1", 8), without=quiet))
