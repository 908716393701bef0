"""A portfolio of clients of every kind under policies and scenarios of every kind: drawn once, always the same.

Properties say what holds whatever the facts; here they are said again without chance, so that a mutant of what is
compared is seen each time.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from contracts.dunning import PolicyChanged, SendingCalendar
from services.dunning.domain.calendar import EVERY_DAY, CompanyDays
from services.dunning.domain.policy import Policy
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.state import ClientState, Contact, EntryState, PaidGroup, PaidLine
from tests.specs.dunning.given import COMPANY, STANDARD, previous, scenario, step

D0 = date(2025, 1, 1)
POLICIES = [
    load_policy(PolicyChanged.model_validate({"version": 1, **options}))
    for options in (
        {},
        {"promises_exclude": True, "minimum_per_entry": "20", "minimum_per_reminder": "50"},
        {"netting": "none", "maximum_per_reminder": "300"},
        {"netting": "account"},
        {"mode": "account", "promises_exclude": True},
        {"disputes_exclude": True, "minimum_per_entry": "20", "automatic_payment_modes": ["PRLV"]},
        {"contact_gap_days": 5, "tolerance_days": 4},
        {"upcoming_credits_excluded": True, "tolerance_amount": "120", "netting": "account"},
        {"mode": "account", "contact_gap_days": 3, "tolerance_days": 7, "tolerance_amount": "50"},
        {"automatic_from": "2025-01-20", "stale_after_days": 3, "upcoming_credits_excluded": True},
        {"automatic_from": "2025-01-01", "mode": "account", "contact_gap_days": 2, "tolerance_days": 1},
    )
]
_STEPS = (
    STANDARD,
    (step("R1", 0), step("R2", 10), step("R3", 20, mode="automatic")),
    (step("R1", 5), previous("R2", 5, ignorable=True), previous("R3", 5, end_of_month=True)),
    (step("R1", 5, counted_from="invoice_date"), previous("R2", 1)),
    (step("R1", 2), step("R2", 9, ignorable=True), step("R3", 10), previous("R4", 0)),
    (step("notice", 12), step("R1", 0, ignorable=True), previous("R2", 0, "phone"), previous("R3", 31)),
)
_DAYS = (
    EVERY_DAY,
    CompanyDays(SendingCalendar(weekdays=(1, 2, 3, 5), skip_holidays=True)),
    CompanyDays(SendingCalendar(weekdays=(1, 2, 3, 4, 5), month_days=(10, 25))),
)
_THANKING = (*STANDARD, step("thanks", 3, counted_from="payment_date"))
SCENARIOS = [load_scenario(scenario(*steps)) for steps in _STEPS] + [
    load_scenario(scenario(*_THANKING).model_copy(update={"thanks_since": D0}), days) for days in _DAYS
]


class Held(NamedTuple):
    """A client, and by what it is decided on which day."""

    client: ClientState
    policy: Policy
    scenario: Scenario
    as_of: date
    paid: dict[str, date]
    """What is paid later, and when."""


def portfolio(count: int) -> Iterator[Held]:
    """Every policy meets every scenario before one comes again."""
    drawn = Random(20250101)
    for number in range(count):
        client = _client(drawn, f"C{number}")
        paid = {
            entry.entry_id: _day(drawn) for entry in client.entries if entry.amount > 0 and drawn.random() < 0.3
        }
        policy = POLICIES[number % len(POLICIES)]
        held_by = SCENARIOS[(number + number // (len(POLICIES) * len(SCENARIOS))) % len(SCENARIOS)]
        yield Held(client, policy, held_by, _day(drawn), paid)


def _day(drawn: Random) -> date:
    return D0 + timedelta(days=drawn.randrange(90))


def _client(drawn: Random, name: str) -> ClientState:
    stopped = drawn.random() < 0.1
    contacts = [
        Contact(_day(drawn), drawn.choice([None, D0 - timedelta(days=1)]))
        for _ in range(drawn.choice([0, 0, 1, 2]))
    ]
    return ClientState(
        COMPANY,
        name,
        None,
        drawn.random() < 0.8,
        stopped,
        drawn.choice([None, "PRLV", "VIR"]),
        tuple(_entry(drawn, number) for number in range(drawn.randint(1, 7))),
        resumes_on=drawn.choice([None, _day(drawn)]) if stopped else None,
        disputed=drawn.random() < 0.1,
        never=drawn.random() < 0.05,
        tolerance_days=drawn.choice([None, None, None, 0, 12]),
        tolerance_amount=drawn.choice([None, None, None, 0, 800_000]),
        contacts=tuple(sorted(contacts, key=lambda contact: contact.on, reverse=True)),
        synced_on=drawn.choice([None, _day(drawn)]),
        paid=tuple(_group(drawn, number) for number in range(drawn.choice([0, 0, 1]))),
    )


def _entry(drawn: Random, number: int) -> EntryState:
    amount = (drawn.randint(1, 400) if drawn.random() < 0.75 else -drawn.randint(1, 200)) * 10_000
    currency = drawn.choice(["EUR", "EUR", "EUR", "USD"])
    level = drawn.choice([0, 0, 1, 2, 3, 4])
    promised = sorted(_day(drawn) for _ in range(drawn.choice([0, 0, 1, 2])))
    return EntryState(
        entry_id=f"{number:032x}",
        currency=currency,
        amount=amount,
        book_amount=amount if currency == "EUR" else amount * 9 // 10,
        due_date=_day(drawn),
        counted_on=_day(drawn),
        payment_mode=drawn.choice([None, None, "PRLV"]),
        level=level,
        reminded_on=_day(drawn) if level else None,
        noticed_on=drawn.choice([None, _day(drawn)]),
        stopped=drawn.random() < 0.1,
        lettering_error=drawn.random() < 0.1,
        reopened_on=drawn.choice([None, None, _day(drawn)]),
        first_promise_on=promised[0] if promised else None,
        last_promise_on=promised[-1] if promised else None,
        resumes_on=drawn.choice([None, _day(drawn)]),
        forced=level > 0 and drawn.random() < 0.1,
        disputed=drawn.random() < 0.1,
        automatic=drawn.choice([None, None, True, False]),
    )


def _group(drawn: Random, number: int) -> PaidGroup:
    paid_on, amount = _day(drawn), drawn.randint(1, 400) * 10_000
    return PaidGroup(
        paid_on,
        True,
        (
            PaidLine(f"{number:x}".rjust(32, "a"), "EUR", amount, amount, paid_on - timedelta(days=5)),
            PaidLine(f"{number:x}".rjust(32, "b"), "EUR", -amount, -amount, paid_on),
        ),
    )
