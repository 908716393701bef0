"""Rules 4.1, 4.4, 4.5, 4.8, 4.15: an impossible scenario does not start."""

from decimal import Decimal

import pytest

from contracts.dunning import PolicyChanged, ScenarioPublished
from services.dunning.defaults import WITHOUT_SCENARIO, delivered_policy, delivered_scenarios
from services.dunning.domain import policy as policies
from services.dunning.domain import scenario as scenarios
from services.dunning.domain import scenario_refusals as refusals
from tests.specs.dunning.given import STANDARD, given, invoice, previous, scenario, step


@pytest.mark.parametrize(
    ("steps", "refusal"),
    [
        ([previous("R1", 8)], refusals.FirstReminderCountsFromPreviousStep),
        ([step("R1", 8, enabled=False), previous("R2", 8)], refusals.FirstReminderCountsFromPreviousStep),
        ([step("R1", 8), step("R2", 8, counted_from="invoice_date")], refusals.ReferenceDatesDiffer),
        ([step("R2", 8), step("R1", 8)], refusals.StepsOutOfOrder),
        ([step("R1", 8), step("R1", 16)], refusals.StepsOutOfOrder),
        ([step("R1", 8, enabled=False)], refusals.NoActiveStep),
        ([step("R1", -1)], refusals.DelayOutOfRange),
        ([step("R1", 3651)], refusals.DelayOutOfRange),
        ([step("R8", 8)], refusals.UnknownStep),
        ([step("R1", 8, medium="fax")], refusals.UnknownMedium),
        ([step("R1", 8, counted_from="order_date")], refusals.UnknownReference),
        ([step("R1", 8, mode="perhaps")], refusals.UnknownMode),
        ([step("R1", 8, template=None)], refusals.TemplateMissing),
        ([step("R1", 8, medium="letter", template=None)], refusals.TemplateMissing),
        ([step("R1", 8, medium="phone", mode="automatic")], refusals.OnlyEmailIsAutomatic),
        ([step("notice", 8, counted_from="invoice_date")], refusals.NoticeNotCountedFromDueDate),
    ],
)
def test_an_impossible_scenario_is_refused_with_a_sentence(steps, refusal):
    with pytest.raises(refusal, match=r"Standard.*\."):
        scenarios.load(scenario(*steps))


def problems(*steps, without=(), **flags) -> list[tuple[type, str | None, str | None]]:
    published = scenario(*steps, without=without, **flags)
    return [(type(one), one.variant, one.step) for one in scenarios.check(published)]


@pytest.mark.parametrize(
    ("steps", "refusal", "named"),
    [
        ([previous("R1", 8, "letter")], refusals.FirstReminderCountsFromPreviousStep, "R1"),
        (
            [step("R1", 8, "letter"), step("R2", 8, "letter", "invoice_date")],
            refusals.ReferenceDatesDiffer,
            "R2",
        ),
        ([step("R2", 8, "letter"), step("R1", 8, "letter")], refusals.StepsOutOfOrder, "R1"),
        ([step("R1", 8, "letter", enabled=False)], refusals.NoActiveStep, None),
        ([step("R1", 8, "letter"), step("R2", -1, "letter")], refusals.DelayOutOfRange, "R2"),
        ([step("R1", 8, "letter", template=None)], refusals.TemplateMissing, "R1"),
    ],
)
def test_each_problem_names_the_variant_and_the_step(steps, refusal, named):
    good = [step("R1", 8, "letter")]
    assert problems(*steps, without=good) == [(refusal, "with_email", named)]
    assert problems(*good, without=steps) == [(refusal, "without_email", named)]


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([step("R8", 8)], "R8: 'R8' is not a step. Use notice, R1 to R7 or thanks."),
        ([step("R1", 8, "fax")], "R1: 'fax' is not a medium. Use email, letter, phone or other."),
        ([step("R1", 8, mode="perhaps")], "R1: 'perhaps' is not a sending mode. Use manual or automatic."),
        ([step("R1", 3651)], "R1: a delay of 3651 days is not possible. Give 0 to 3650 days."),
        (
            [step("thanks", 61, counted_from="payment_date")],
            "thanks: a delay of 61 days is not possible. Give 0 to 60 days.",
        ),
        (
            [step("R1", 8, calendar={"weekdays": (8,)})],
            "R1: its calendar cannot be kept: weekdays. "
            "Weekdays are 1 to 7, days of the month 1 to 31, the hour is written HH:MM.",
        ),
    ],
)
def test_a_word_or_a_delay_that_is_not_possible_is_told_with_its_place(steps, sentence):
    (found,) = scenarios.check(scenario(*steps, without=[step("R1", 8, "letter")]))
    assert str(found) == f"Standard, with e-mail, {sentence}"


def test_delays_go_to_their_limits():
    steps = [step("R1", 0), step("R2", 3650), step("thanks", 60, counted_from="payment_date")]
    assert problems(*steps) == []


def test_a_variant_without_an_active_step_is_refused_while_it_is_on_only():
    """Rule 4.4: a notice alone will do."""
    good, off = [step("R1", 8, "letter")], [step("R1", 8, "letter", enabled=False)]
    assert problems(*off, without=good) == [(refusals.NoActiveStep, "with_email", None)]
    assert problems(*off, without=good, with_email_enabled=False) == []
    assert problems(*good, without=off) == [(refusals.NoActiveStep, "without_email", None)]
    assert problems(*good, without=off, without_email_enabled=False) == []
    assert problems(step("notice", 8, "letter"), without=good) == []


def test_an_e_mail_for_clients_without_an_address_is_named():
    """Rule 4.1."""
    told = problems(step("R1", 8), without=[step("R1", 8, "letter"), step("R2", 16)])
    assert told == [(refusals.EmailStepForClientsWithoutEmail, "without_email", "R2")]


def test_everything_that_is_wrong_is_told_at_once_in_sentences():
    with pytest.raises(refusals.ScenarioRefused) as refused:
        scenarios.load(scenario(step("R2", 8), step("R1", -1), without=[]))
    told = refused.value.problems
    assert [(one["code"], one["variant"], one["step"]) for one in told] == [
        ("delay-out-of-range", "with_email", "R1"),
        ("steps-out-of-order", "with_email", "R1"),
    ]
    assert told[1]["why"] == {
        "en": "R1 does not stand in its place: R2, R1.",
        "fr": "R1 n'est pas à sa place : R2, R1.",
    }


def test_a_scenario_is_that_of_its_profile_and_version():
    published = scenario(step("R1", 8), without=[]).model_copy(update={"profile": "Export", "version": 3})
    loaded = scenarios.load(published)
    assert (loaded.profile, loaded.version) == ("Export", 3)


def test_a_reminder_that_is_switched_off_switches_no_notice_off():
    """Rule 4.8: it would count from the invoice date."""
    steps = [step("notice", 8), step("R1", 45, counted_from="invoice_date", enabled=False), step("R2", 8)]
    given(invoice("F", 100, "2025-03-10"), steps=steps).when("2025-03-02").says(notice=(100, ["F"]))


def test_clients_without_an_address_get_no_e_mail_step():
    with pytest.raises(refusals.EmailStepForClientsWithoutEmail):
        scenarios.load(scenario(step("R1", 8), without=[step("R1", 8)]))


def test_a_scenario_with_both_variants_off_is_refused():
    with pytest.raises(refusals.NoActiveStep):
        scenarios.load(scenario(*STANDARD, with_email_enabled=False, without_email_enabled=False))


def test_phone_and_other_need_no_template():
    loaded = scenarios.load(scenario(step("R1", 8, medium="phone"), previous("R2", 8, medium="other")))
    assert loaded.with_email is not None


def test_counting_from_the_invoice_date_switches_the_notice_off():
    """Rule 4.8."""
    world = given(invoice("F", 100, "2025-03-10", invoice_date="2025-02-01"))
    world.under(step("notice", 8), step("R1", 45, counted_from="invoice_date"))
    world.when("2025-03-05").silent().waits("F", "R1", "2025-03-18")


def test_the_delivered_scenarios_load_and_are_all_manual():
    """Rules 3.1, 4.13, 4.18."""
    delivered = delivered_scenarios()
    assert {one.profile for one in delivered} | set(WITHOUT_SCENARIO) == {
        "Standard",
        "Export",
        "Grand Compte",
        "Interne",
    }
    for one in delivered:
        scenarios.load(one)
        assert {step.mode for step in (*one.with_email, *one.without_email)} == {"manual"}
        assert len(one.without_email) == 5


def test_the_delivered_policy_loads():
    assert policies.load(delivered_policy()) == policies.Policy(version=1, contact_gap_days=5)


DAYS = "is 0 to 365 days, not"


@pytest.mark.parametrize(
    ("options", "refusal", "sentence"),
    [
        ({"mode": "invoice"}, policies.UnknownGrouping, "mode 'invoice' is not one of item, account."),
        (
            {"netting": "all"},
            policies.UnknownNetting,
            "netting 'all' is not one of same_level, account, none.",
        ),
        ({"minimum_per_entry": "-1"}, policies.NegativeThreshold, "a threshold is zero or more, not -1."),
        ({"minimum_per_reminder": "-0.01"}, policies.NegativeThreshold, "a threshold is zero or more, not -0.01."),
        ({"maximum_per_reminder": "-2"}, policies.NegativeThreshold, "a threshold is zero or more, not -2."),
        ({"tolerance_amount": "-2"}, policies.NegativeThreshold, "a threshold is zero or more, not -2."),
        (
            {"minimum_per_reminder": "10", "maximum_per_reminder": "9"},
            policies.MinimumAboveMaximum,
            "nothing passes a minimum of 10 and a maximum of 9.",
        ),
        (
            {"default_profile": " "},
            policies.DefaultProfileMissing,
            "a client without a profile needs the name of the default one.",
        ),
        ({"contact_gap_days": -1}, policies.DaysOutOfRange, f"contact_gap_days {DAYS} -1."),
        ({"stale_after_days": 366}, policies.DaysOutOfRange, f"stale_after_days {DAYS} 366."),
        ({"tolerance_days": 366}, policies.DaysOutOfRange, f"tolerance_days {DAYS} 366."),
        (
            {"calendar": {"weekdays": (8,)}},
            policies.CalendarImpossible,
            "weekdays: weekdays are 1 to 7, days of the month 1 to 31, the hour is written HH:MM.",
        ),
    ],
)
def test_an_impossible_policy_is_refused_in_a_sentence(options, refusal, sentence):
    with pytest.raises(refusal) as refused:
        policies.load(PolicyChanged.model_validate({"version": 1} | options))
    assert str(refused.value) == sentence


@pytest.mark.parametrize("days", [0, 365])
@pytest.mark.parametrize("amount", ["0", "0.50"])
def test_a_policy_goes_to_its_limits(days, amount):
    """Rule 8.12: a minimum that is the maximum lets that amount pass."""
    lengths = dict.fromkeys(("contact_gap_days", "stale_after_days", "tolerance_days"), days)
    names = ("minimum_per_entry", "minimum_per_reminder", "maximum_per_reminder", "tolerance_amount")
    told = {"version": 1, "default_profile": "VIP", **lengths, **dict.fromkeys(names, amount)}
    policy = policies.load(PolicyChanged.model_validate(told))
    assert {getattr(policy, name) for name in lengths} == {days}
    assert {getattr(policy, name) for name in names} == {int(float(amount) * 10_000)}
    assert policy.default_profile == "VIP"


def test_a_client_has_no_tolerance_of_its_own_until_one_is_given():
    """Rule 22.26."""
    policies.check_tolerance(None, None)
    with pytest.raises(policies.DaysOutOfRange):
        policies.check_tolerance(-1, None)
    with pytest.raises(policies.NegativeThreshold):
        policies.check_tolerance(None, Decimal("-0.01"))


def test_a_variant_without_steps_is_the_same_as_one_switched_off():
    published = ScenarioPublished(
        profile="Standard", version=1, with_email=(), without_email=scenario(*STANDARD).without_email
    )
    assert scenarios.load(published).with_email is None
