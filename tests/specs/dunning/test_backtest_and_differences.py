"""The past decided anew, and what another scenario would have changed for each client."""

from datetime import date, timedelta
from decimal import Decimal

from contracts import dunning, ledger, sync
from services.dunning.domain.history import Fact, begin, by_client
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.simulation import Company, Contact, Rules, live
from services.dunning.domain.tally import Tally, differ
from tests.specs.dunning.given import (
    CLIENT,
    COMPANY,
    STANDARD,
    at_level,
    client,
    credit,
    day,
    entry_id,
    invoice,
    resumed,
    scenario,
    stopped,
)

NOBODY_ELSE = scenario(*STANDARD)


def lived(facts: list[Fact], first: str, last: str) -> list[tuple[str, str, str]]:
    rules = Rules(load_policy(dunning.PolicyChanged(version=1)), {"Standard": load_scenario(NOBODY_ELSE)})
    state, history = begin(COMPANY, CLIENT, facts, day(first))
    contacts = live(state, history, Company(rules), day(first), day(last))
    return [(one.on.isoformat(), one.step, one.medium) for one in contacts]


def told(*facts: tuple[str, object]) -> list[Fact]:
    return [(day(on), event) for on, event in [("2025-01-01", client()), *facts]]  # type: ignore[misc]


def lettered(code: str | None, *names: tuple[str, object, str], **options: object) -> sync.EntriesSynced:
    lines = []
    for name, amount, due in names:
        made = (invoice if float(str(amount)) > 0 else credit)(name, abs(float(str(amount))), due, lettering=code)
        assert isinstance(made, sync.EntriesSynced)
        lines.extend(line.model_copy(update=options) for line in made.entries)
    return sync.EntriesSynced(run_id=lines[0] and made.run_id, source="spec", entries=tuple(lines))


def test_the_past_is_decided_anew_whatever_was_really_sent() -> None:
    facts = told(
        ("2025-03-01", invoice("F1", 100, "2025-03-10")),
        ("2025-04-30", at_level("F1", "R5", "2025-04-30")),
    )
    assert lived(facts[:2], "2025-03-01", "2025-04-01") == [
        ("2025-03-02", "notice", "email"),
        ("2025-03-18", "R1", "email"),
        ("2025-03-26", "R2", "phone"),
    ]


def test_an_invoice_that_came_late_is_reminded_from_the_day_it_was_known() -> None:
    for came_on, first in (
        ("2025-03-17", "2025-03-18"),
        ("2025-03-18", "2025-03-18"),
        ("2025-03-19", "2025-03-19"),
    ):
        facts = told((came_on, invoice("F1", 100, "2025-03-10")))
        assert lived(facts, "2025-01-01", "2025-03-25") == [(first, "R1", "email")]


def test_a_payment_ends_it_on_its_day() -> None:
    paid = lettered("A", ("F1", 100, "2025-03-10"), ("P1", -100, "2025-03-25"))
    for on, steps in (("2025-03-25", ["R1"]), ("2025-03-26", ["R1"]), ("2025-03-27", ["R1", "R2"])):
        facts = told(("2025-03-09", invoice("F1", 100, "2025-03-10")), (on, paid))
        assert [step for _, step, _ in lived(facts, "2025-03-11", "2025-03-31")] == steps


def test_stops_addresses_and_levels_set_by_a_person_count_as_they_came() -> None:
    facts = told(
        ("2025-03-01", invoice("F1", 100, "2025-03-10")),
        ("2025-03-17", stopped()),
        ("2025-03-20", resumed()),
        ("2025-03-21", client(email=False)),
    )
    assert lived(facts, "2025-03-11", "2025-03-28") == [
        ("2025-03-20", "R1", "email"),
        ("2025-03-28", "R2", "phone"),
    ]
    facts.append((day("2025-03-22"), at_level("F1", "R3", "2025-03-22")))
    assert lived(facts, "2025-03-11", "2025-03-30")[-1] == ("2025-03-30", "R4", "letter")


def test_what_was_done_before_the_period_is_where_it_begins() -> None:
    facts = told(
        ("2025-03-01", invoice("F1", 100, "2025-03-10")), ("2025-03-20", at_level("F1", "R1", "2025-03-20"))
    )
    assert lived(facts, "2025-03-21", "2025-03-28") == [("2025-03-28", "R2", "phone")]


def test_the_first_delivery_of_a_source_is_lived_by_the_dates_of_its_lines() -> None:
    """Without that, a company that has just begun would have no past to learn from."""
    delivered = day("2025-11-01")
    lines = [
        *_lines(
            invoice("F1", 100, "2025-03-10", entry_date="2025-02-10", lettering="A", lettered_on="2025-03-27")
        ),
        *_lines(credit("P1", 100, "2025-03-25", entry_date="2025-03-25", lettering="A", lettered_on="2025-03-27")),
        *_lines(invoice("F2", 100, "2025-05-10", entry_date="2025-04-10")),
    ]
    event = sync.EntriesSynced(run_id=RUN, source="fec", entries=tuple(lines))
    facts = by_client([(delivered, client()), (delivered, event)], {"fec": delivered})[CLIENT]
    steps = [
        (on, step) for on, step, _ in lived([(day("2025-01-01"), client()), *facts], "2025-01-01", "2025-05-20")
    ]
    assert steps == [
        ("2025-03-02", "notice"),
        ("2025-03-18", "R1"),
        ("2025-03-26", "R2"),
        ("2025-05-02", "notice"),
        ("2025-05-18", "R1"),
    ]
    later = by_client([(delivered, event)], {"fec": day("2025-10-01")})[CLIENT]
    assert {on for on, _ in later} == {delivered}


def test_facts_about_many_clients_are_cut() -> None:
    both = sync.EntriesSynced(
        run_id=RUN,
        source="x",
        entries=(*_lines(invoice("F1", 1, "2025-03-10")), *_lines(invoice("F2", 1, "2025-03-10", client_id="C2"))),
    )
    changed = ledger.ClientsChanged(
        clients=(
            ledger.ChangedClient(client_id="C1", version=1, has_email=True),
            ledger.ChangedClient(client_id="C2", version=1),
        )
    )
    facts = by_client([(day("2025-01-01"), both), (day("2025-01-01"), changed)])
    assert {client_id: len(some) for client_id, some in facts.items()} == {"C1": 2, "C2": 2}
    assert begin(COMPANY, "C2", facts["C2"], day("2025-01-02"))[0].entries[0].entry_id == entry_id("F2")


RUN = lettered("A", ("F", 1, "2025-01-01")).run_id


def _lines(event: object) -> tuple[sync.SyncedEntry, ...]:
    assert isinstance(event, sync.EntriesSynced)
    return event.entries


def contact(on: str, step: str = "R1", medium: str = "email", amount: int = 100) -> Contact:
    return Contact(day(on), step, medium, "EUR", amount, amount, 1, False)


def test_a_client_who_would_get_the_same_does_not_differ() -> None:
    assert differ([contact("2025-01-08")], [contact("2025-01-08")]) is None
    assert differ([], []) is None


def test_differences_have_names() -> None:
    r1, r2 = contact("2025-01-08"), contact("2025-01-16", "R2")
    cases = [
        ([r1], [r1, r2], ("more",)),
        ([r1, r2], [r1], ("fewer",)),
        ([r1], [contact("2025-01-07")], ("earlier",)),
        ([r1], [contact("2025-01-09")], ("later",)),
        ([r1], [contact("2025-01-08", medium="letter")], ("other",)),
        ([r1], [contact("2025-01-08", amount=99)], ("other",)),
        ([r1, r2], [contact("2025-01-07"), contact("2025-01-17", "R2")], ("earlier", "later")),
        ([r1], [contact("2025-01-08", "R2")], ("other",)),
        ([r1], [contact("2025-01-06"), r2], ("more", "earlier")),
        ([r1, r2], [contact("2025-01-09"), contact("2025-01-16", "R3")], ("later", "other")),
    ]
    for before, after, kinds in cases:
        found = differ(before, after)
        assert found is not None
        assert found.kinds == kinds


def test_only_what_differs_is_listed() -> None:
    r1, r2, r3 = contact("2025-01-08"), contact("2025-01-16", "R2"), contact("2025-01-15", "R2")
    found = differ([r1, r2], [r1, r3])
    assert found is not None
    assert (found.lost, found.gained, found.before, found.after) == ((r2,), (r3,), 2, 2)


def test_the_calendar_counts_and_sums_and_costs() -> None:
    tally = Tally()
    tally.add([contact("2025-01-08", amount=1_000_000), contact("2025-01-16", "R2", "phone")])
    tally.add([contact("2025-01-08", amount=500_000)])
    tally.add([])
    assert tally.rows() == [
        ["2025-01-08", "R1", "email", 2, 2, 1_500_000],
        ["2025-01-16", "R2", "phone", 1, 1, 100],
    ]
    assert tally.clients == 2
    again = Tally()
    again.add_rows(tally.rows(), tally.clients)
    again.add_rows(tally.rows(), tally.clients)
    assert again.total == (6, 6, 3_000_200)
    assert again.cost({"email": Decimal("0.5"), "phone": Decimal(4)}) == {"email": Decimal(2), "phone": Decimal(8)}
    assert list(again.by(1)) == [("R1",), ("R2",)]


def test_a_year_of_silence_is_one_step() -> None:
    facts = told(("2025-01-01", invoice("F1", 100, "2026-06-30")))
    assert lived(facts, "2025-01-01", (date(2025, 1, 1) + timedelta(days=365)).isoformat()) == []
