"""C19, ADR 24: whose facts are lived again, on which day, and what of them counts."""

from datetime import date
from uuid import UUID

import pytest

from contracts import dunning, ledger, notify, sync
from services.dunning.domain.history import Fact, begin, by_client
from services.dunning.domain.policy import load as load_policy
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.simulation import Company, Rules, live
from tests.specs.dunning.given import (
    CLIENT,
    COMPANY,
    STANDARD,
    at_level,
    chosen_next,
    client,
    credit,
    day,
    entry_id,
    invoice,
    scenario,
    step,
)
from tests.specs.dunning.test_thank_you import announced

RUN = UUID(int=0)
DELIVERED = day("2025-11-01")


def lived(facts: list[Fact], first: str, last: str, *more: object) -> list[tuple[str, str, str]]:
    published = scenario(*STANDARD, *more).model_copy(update={"thanks_since": day("2025-01-01")})  # type: ignore[arg-type]
    rules = Rules(load_policy(dunning.PolicyChanged(version=1)), {"Standard": load_scenario(published)})
    state, history = begin(COMPANY, CLIENT, facts, day(first))
    assert (state.company, state.client_id) == (COMPANY, CLIENT)
    contacts = live(state, history, Company(rules), day(first), day(last))
    return [(one.on.isoformat(), one.step, one.medium) for one in contacts]


def lines(*events: object) -> tuple[sync.SyncedEntry, ...]:
    return tuple(line for event in events for line in event.entries)  # type: ignore[attr-defined]


def delivery(*events: object, on: date = DELIVERED, source: str = "fec") -> Fact:
    return on, sync.EntriesSynced(run_id=RUN, source=source, entries=lines(*events))


def of_client(*facts: Fact, opened: date = DELIVERED) -> list[Fact]:
    return by_client(facts, {"fec": opened})[CLIENT]


def states(facts: list[Fact]) -> list[tuple[str, list[tuple[str, str | None, str | None]]]]:
    """Day by day, what came: piece, code and lettering date."""
    return [
        (
            on.isoformat(),
            [
                (line.piece, line.lettering, None if line.lettered_on is None else line.lettered_on.isoformat())
                for line in event.entries  # type: ignore[attr-defined]
            ],
        )
        for on, event in facts
    ]


# The first delivery of a source (each line on its own dates)


def test_a_line_comes_unlettered_on_its_entry_date_and_lettered_on_its_lettering_date():
    facts = of_client(
        delivery(
            invoice("F", 100, "2025-03-10", entry_date="2025-02-10", lettering="A", lettered_on="2025-03-27"),
            invoice("G", 100, "2025-03-10", entry_date="2025-02-10"),
            credit("P", 100, "2025-03-25", entry_date="2025-03-27", lettering="A", lettered_on="2025-03-27"),
        )
    )
    assert states(facts) == [
        ("2025-02-10", [("F", None, None), ("G", None, None)]),
        ("2025-03-27", [("F", "A", "2025-03-27"), ("P", "A", "2025-03-27")]),
    ]


def test_without_a_lettering_date_a_group_was_lettered_with_its_last_line():
    facts = of_client(
        delivery(
            invoice("F", 100, "2025-03-10", entry_date="2025-02-10", lettering="A"),
            credit("P", 60, "2025-03-25", entry_date="2025-03-20", lettering="A"),
            credit("Q", 40, "2025-03-25", entry_date="2025-03-15", lettering="A"),
            invoice("G", 100, "2025-03-10", entry_date="2025-02-11", lettering="B"),
            invoice("H", 100, "2025-03-10", entry_date="2025-02-12", lettering="A", account="412"),
        )
    )
    assert states(facts) == [
        ("2025-02-10", [("F", None, None)]),
        ("2025-02-11", [("G", "B", None)]),
        ("2025-02-12", [("H", "A", None)]),
        ("2025-03-15", [("Q", None, None)]),
        ("2025-03-20", [("F", "A", None), ("P", "A", None), ("Q", "A", None)]),
    ]


def test_nothing_came_after_the_delivery_itself():
    facts = of_client(
        delivery(
            invoice("F", 100, "2025-03-10", entry_date="2025-12-10"),
            invoice("G", 100, "2025-03-10", entry_date="2025-10-01", lettering="A", lettered_on="2025-12-01"),
        )
    )
    assert states(facts) == [
        ("2025-10-01", [("G", None, None)]),
        ("2025-11-01", [("F", None, None), ("G", "A", "2025-12-01")]),
    ]


def test_a_later_delivery_counts_on_its_day():
    late = delivery(invoice("F", 100, "2025-03-10", entry_date="2025-02-10"), on=day("2025-11-02"))
    assert [on for on, _ in of_client(late)] == [day("2025-11-02")]
    other = delivery(invoice("F", 100, "2025-03-10", entry_date="2025-02-10"), source="sage")
    assert [on for on, _ in of_client(other)] == [DELIVERED]


def test_facts_go_to_the_client_they_are_about():
    group = ledger.LetteredGroup(
        client_id=CLIENT, account="411", lettering="A", payments=(), settled=(), paid_on=day("2025-03-01")
    )
    other = group.model_copy(update={"client_id": "C2"})
    on = day("2025-03-02")
    sent = notify.CallLogged(action_id=RUN, client_id="C2", outcome="reached")
    facts = by_client(
        [
            (on, ledger.PaymentsLettered(groups=(group, other))),
            (on, sent),
            (on, sync.SyncCompleted.model_construct()),
            (on, dunning.PolicyChanged(version=1)),
        ]
    )
    assert {name: [type(event).__name__ for _, event in some] for name, some in facts.items()} == {
        CLIENT: ["PaymentLettered"],
        "C2": ["PaymentLettered", "CallLogged"],
    }
    assert facts[CLIENT][0][1].lettering == "A"  # type: ignore[attr-defined]
    assert {came for some in facts.values() for came, _ in some} == {on}


def test_what_is_first_told_of_a_client_has_always_been_so_and_what_is_told_later_has_not():
    on, later = day("2025-03-02"), day("2025-04-02")
    facts = by_client([(on, client()), (later, client(email=False)), (later, client(profile="Export"))])[CLIENT]
    assert [came for came, _ in facts] == [date.min, later, later]


# What counts of them


def test_the_day_before_is_known_and_the_first_day_is_lived():
    """An invoice that is known only on the first day is reminded on it."""
    facts = [
        (date.min, client()),
        (day("2025-03-18"), invoice("F", 100, "2025-03-10")),
    ]
    state, history = begin(COMPANY, CLIENT, facts, day("2025-03-18"))
    assert state.entries == ()
    assert history.next_on() == day("2025-03-18")
    state, history = begin(COMPANY, CLIENT, facts, day("2025-03-19"))
    assert len(state.entries) == 1
    assert history.next_on() == date.max
    assert lived(facts, "2025-03-18", "2025-03-18") == [("2025-03-18", "R1", "email")]


def test_a_next_step_that_a_person_chose_counts_until_it_is_taken():
    facts = [
        (date.min, client()),
        (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
        (day("2025-03-12"), chosen_next("F", "R3", "2025-03-12", reminded_on="2025-03-10")),
        (day("2025-03-13"), invoice("G", 1, "2025-06-10")),
        (day("2025-03-29"), invoice("H", 1, "2025-06-10")),
    ]
    assert lived(facts, "2025-03-11", "2025-04-10") == [
        ("2025-03-18", "R3", "phone"),
        ("2025-03-26", "R4", "letter"),
        ("2025-04-03", "R5", "letter"),
    ]


def test_a_notice_that_the_simulation_sent_is_not_sent_again_when_a_fact_comes():
    facts = [
        (date.min, client()),
        (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
        (day("2025-03-04"), at_level("G", "R1", "2025-03-04")),
    ]
    assert lived(facts, "2025-03-02", "2025-03-09") == [("2025-03-02", "notice", "email")]


def test_a_payment_thanked_in_the_simulation_is_not_thanked_again_when_a_fact_comes():
    thanks = step("thanks", 3, counted_from="payment_date")
    paid = lines(invoice("F", 100, "2025-03-30", lettering="A"), credit("P", 100, "2025-03-05", lettering="A"))
    facts = [
        (date.min, client()),
        (day("2025-03-06"), sync.EntriesSynced(run_id=RUN, source="x", entries=paid)),
        (day("2025-03-06"), announced("2025-03-05", ["P"], ["F"])),
        (day("2025-03-12"), invoice("G", 1, "2025-06-10")),
        (day("2025-03-14"), invoice("H", 1, "2025-06-10")),
    ]
    assert lived(facts, "2025-03-01", "2025-03-31", thanks) == [("2025-03-08", "thanks", "email")]


@pytest.mark.parametrize("on", ["2025-03-19", "2025-03-20"])
def test_what_was_really_done_counts_before_the_period_and_never_in_it(on):
    """The real R1 of the 18th: before the period it is where the client stands; in it, nothing."""
    entry = dunning.LevelMove(entry_id=entry_id("F"), level_before=None, level_after="R1")
    done = dunning.ActionDone(
        action_id=RUN, client_id=CLIENT, step="R1", medium="email", done_on=day("2025-03-18"), levels=(entry,)
    )
    facts = [(date.min, client()), (day("2025-03-01"), invoice("F", 100, "2025-03-10")), (day("2025-03-19"), done)]
    told = lived(facts, on, "2025-03-26")
    if on == "2025-03-20":
        assert told == [("2025-03-26", "R2", "phone")]
    else:
        assert told[0] == ("2025-03-19", "R1", "email")


def automatic(facts: list[Fact], first: str, last: str) -> list[tuple[str, str, bool]]:
    """Lived under a scenario whose reminders leave by themselves where a person said so of the entry."""
    published = scenario(
        step("R1", 8, mode="automatic"), step("R2", 16, mode="automatic"), without=[step("R1", 8, "letter")]
    )
    rules = Rules(load_policy(dunning.PolicyChanged(version=1)), {"Standard": load_scenario(published)})
    state, history = begin(COMPANY, CLIENT, facts, day(first))
    contacts = live(state, history, Company(rules), day(first), day(last))
    return [(one.on.isoformat(), one.step, one.automatic) for one in contacts]


def test_what_a_person_chose_of_an_entry_still_holds_when_a_fact_comes():
    """Rule 22.13: opted in before the period; another invoice comes in it."""
    choice = dunning.AutomaticChoice(entry_id=entry_id("F"), automatic=True)
    facts = [
        (date.min, client()),
        (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
        (day("2025-03-02"), dunning.AutomaticChosen(client_id=CLIENT, entries=(choice,))),
        (day("2025-03-20"), invoice("G", 1, "2025-06-10")),
    ]
    assert automatic(facts, "2025-03-11", "2025-03-31") == [
        ("2025-03-18", "R1", True),
        ("2025-03-26", "R2", True),
    ]


def test_a_step_that_a_person_chose_still_comes_next_when_a_fact_comes():
    """Rule 5.6: R1 next, so no notice."""
    facts = [
        (date.min, client()),
        (day("2025-02-20"), invoice("F", 100, "2025-03-10")),
        (day("2025-02-21"), chosen_next("F", "R1", "2025-02-21")),
        (day("2025-03-01"), invoice("G", 1, "2025-09-10")),
    ]
    assert lived(facts, "2025-02-25", "2025-03-20") == [("2025-03-18", "R1", "email")]


def test_a_step_that_a_person_chose_is_done_with_once_it_is_taken():
    """Rule 5.9: nobody is reminded before the new due date, as no person wants R2 next."""
    facts = [
        (date.min, client()),
        (day("2025-02-20"), invoice("F", 100, "2025-03-10")),
        (day("2025-02-21"), chosen_next("F", "R1", "2025-02-21")),
        (day("2025-03-20"), invoice("F", 100, "2025-04-10")),
    ]
    assert lived(facts, "2025-02-25", "2025-04-12") == [
        ("2025-03-18", "R1", "email"),
        ("2025-04-11", "R2", "phone"),
    ]


def proposed(name: str) -> dunning.ActionProposed:
    held = dunning.ActionEntry(entry_id=entry_id(name), occurrence=1, amount=100, due_date=day("2025-03-10"))
    return dunning.ActionProposed(
        action=dunning.Action(
            action_id=RUN,
            client_id=CLIENT,
            profile="Standard",
            scenario_version=1,
            kind="reminder",
            step="R1",
            medium="email",
            template="R1",
            currency="EUR",
            amount=100,
            net_amount=100,
            book_net_amount=100,
            due_since=day("2025-03-18"),
            entries=(held,),
        )
    )


@pytest.mark.parametrize("confirmed", [False, True])
def test_what_was_open_when_the_period_began_is_carried_out_once(confirmed):
    opened = proposed("F")
    facts = by_client(
        [
            (day("2025-01-01"), client()),
            (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
            (day("2025-03-18"), dunning.ActionDue(action=opened.action) if confirmed else opened),
            (day("2025-03-21"), invoice("G", 1, "2025-09-10")),
            (day("2025-03-22"), invoice("H", 1, "2025-09-10")),
        ]
    )[CLIENT]
    state, _ = begin(COMPANY, CLIENT, facts, day("2025-03-20"))
    assert [opened.action_id for opened in state.open_actions] == [RUN]
    assert lived(facts, "2025-03-20", "2025-03-27") == [("2025-03-20", "R1", "email")]


@pytest.mark.parametrize("first", ["2025-03-11", "2025-03-22"])
def test_what_accounting_unletters_counts_from_its_day_in_the_period_or_before_it(first):
    """Rule 22.8: lettered on the 19th, un-lettered on the 21st, so R2 counts from then, and not from the R1."""
    paid, unpaid = (
        sync.EntriesSynced(
            run_id=RUN,
            source="x",
            entries=lines(
                invoice("F", 100, "2025-03-10", lettering=code), credit("P", 100, "2025-03-19", lettering=code)
            ),
        )
        for code in ("A", None)
    )
    facts = [
        (date.min, client()),
        (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
        (day("2025-03-18"), at_level("F", "R1", "2025-03-18")),
        (day("2025-03-19"), paid),
        (day("2025-03-21"), unpaid),
        (day("2025-03-22"), credit("P", 1, "2025-12-19")),
    ]
    assert [one for one in lived(facts, first, "2025-03-31") if one[1] == "R2"] == [("2025-03-29", "R2", "phone")]


def test_a_contact_of_the_simulation_still_counts_when_a_fact_comes():
    """Rule 22.7: five days after the R1 of F, that of G."""
    rules = Rules(
        load_policy(dunning.PolicyChanged(version=1, contact_gap_days=5)),
        {"Standard": load_scenario(scenario(step("R1", 8)))},
    )
    facts = [
        (date.min, client()),
        (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
        (day("2025-03-01"), invoice("G", 100, "2025-03-12")),
        (day("2025-03-19"), invoice("H", 1, "2025-09-10")),
    ]
    state, history = begin(COMPANY, CLIENT, facts, day("2025-03-11"))
    contacts = live(state, history, Company(rules), day("2025-03-11"), day("2025-03-31"))
    assert [one.on.isoformat() for one in contacts] == ["2025-03-18", "2025-03-23"]


def test_a_past_that_is_forked_is_lived_alike_by_other_rules():
    """The first to live it takes nothing from the second."""
    facts = [
        (date.min, client()),
        (day("2025-03-01"), invoice("F", 100, "2025-03-10")),
        (day("2025-03-12"), at_level("F", "R1", "2025-03-12")),
        (day("2025-03-12"), chosen_next("F", "R3", "2025-03-12", reminded_on="2025-03-11")),
        (day("2025-03-22"), invoice("G", 100, "2025-03-10")),
    ]
    rules = Rules(load_policy(dunning.PolicyChanged(version=1)), {"Standard": load_scenario(scenario(*STANDARD))})
    state, history = begin(COMPANY, CLIENT, facts, day("2025-03-11"))
    period = (day("2025-03-11"), day("2025-03-31"))
    other = history.fork()
    first = live(state, history, Company(rules), *period)
    assert [one.step for one in first] == ["R3", "R1", "R4", "R2"]
    assert live(state, other, Company(rules), *period) == first
