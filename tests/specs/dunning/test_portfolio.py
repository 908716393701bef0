"""On the facts of a whole portfolio: what is shown, foretold and simulated is what deciding gives (C18, C19)."""

from datetime import timedelta
from itertools import pairwise, product

from services.dunning.domain.arrivals import Payments
from services.dunning.domain.case import cases, see
from services.dunning.domain.decision import decide, decide_openly
from services.dunning.domain.explain import explain, explain_client
from services.dunning.domain.forward import after, coming
from services.dunning.domain.simulation import Company, Rules, every_day, live
from services.dunning.domain.triggers import Trail, pending
from services.dunning.domain.verdicts import Due
from tests.specs.dunning.portfolio import POLICIES, SCENARIOS, Held, portfolio

PORTFOLIO = list(portfolio(66))
HALF = PORTFOLIO[::2]
PERIOD = timedelta(days=45)


def company(held: Held) -> Company:
    return Company(Rules(held.policy, {"Standard": held.scenario}))


def test_the_portfolio_holds_every_kind_of_verdict_and_most_reasons():
    decided = [decide(held.client, held.policy, held.scenario, held.as_of) for held in PORTFOLIO]
    kinds = {type(verdict).__name__ for one in decided for verdict in one.verdicts.values()}
    assert kinds == {"Due", "NotDue", "Excluded", "NoStep"}
    reasons = {
        reason
        for one in decided
        for verdict in one.verdicts.values()
        for reason in getattr(verdict, "reasons", ())
    }
    assert len(reasons) >= 10, sorted(reasons)
    assert any(one.moves for one in decided)


def test_a_simulation_passes_over_days_and_entries_and_says_what_deciding_every_day_says():
    contacts = 0
    for held in PORTFOLIO:
        period = (held.as_of, held.as_of + PERIOD)
        lived = live(held.client, Payments(held.paid), company(held), *period)
        assert lived == every_day(held.client, Payments(held.paid), company(held), *period), held
        contacts += len(lived)
    assert contacts > 100


def test_what_a_simulation_remembers_of_one_client_is_true_of_the_next():
    for policy, scenario in product(POLICIES[::3], SCENARIOS[:1] + SCENARIOS[-2:]):
        rules = Rules(policy, {"Standard": scenario})
        shared = Company(rules)
        for held in PORTFOLIO[::8]:
            period = (held.as_of, held.as_of + PERIOD)
            alone = live(held.client, Payments({}), Company(rules), *period)
            assert live(held.client, Payments({}), shared, *period) == alone


def test_deciding_openly_is_deciding_and_shows_what_it_was_made_of():
    for held in PORTFOLIO:
        decision = decide(held.client, held.policy, held.scenario, held.as_of)
        openly = decide_openly(held.client, held.policy, held.scenario, held.as_of)
        assert openly.decision == decision
        never = held.client.never
        assert openly.plan == (None if never else held.scenario.plan(held.client.has_email))
        assert openly.looks.keys() == {entry.entry_id for entry in held.client.entries}
        assert set(openly.stop) <= set(openly.against) <= set(openly.against_reminders)
        drafts = [draft for one in openly.grouped for draft in one.drafts]
        drawn = {member.entry.entry_id for draft in drafts for member in draft.members}
        for action in decision.actions:
            assert action.step == "thanks" or {entry.entry_id for entry in action.entries} <= drawn


def test_deciding_openly_knows_the_first_day_that_no_round_has_covered():
    for held in PORTFOLIO:
        given = (held.client, held.policy, held.scenario, held.as_of, held.as_of - timedelta(days=9))
        assert decide_openly(*given).decision == decide(*given)


def test_the_way_to_a_day_ends_on_that_day():
    for held in PORTFOLIO:
        plan = held.scenario.plan(held.client.has_email)
        assert plan is not None
        for entry in held.client.entries:
            trail: Trail = []
            found = pending(entry, plan, held.as_of, trail)
            assert found == pending(entry, plan, held.as_of)
            assert found is None or trail[-1].on == found.on
            for before, stage in pairwise(trail):
                if stage.code == "delay":
                    assert before.on + timedelta(days=stage.days) == stage.on


def test_the_explanation_says_the_verdict_with_words_for_every_part():
    for held in HALF:
        seen = see(held.client, held.policy, held.scenario, held.as_of)
        decision = decide(held.client, held.policy, held.scenario, held.as_of)
        for language in ("fr", "en"):
            told = explain_client(seen, language)
            assert list(told) == [entry.entry_id for entry in held.client.entries]
            for entry_id, one in told.items():
                verdict = decision.verdicts[entry_id]
                assert one.entry_id == entry_id
                briefly = tuple(reason.code for reason in explain(verdict, language))
                assert tuple(reason.code for reason in one.reasons) == briefly
                assert one.step == getattr(verdict, "step", None)
                assert one.status == {"NotDue": "not_due", "NoStep": "no_step"}.get(
                    type(verdict).__name__, type(verdict).__name__.lower()
                )
                assert one.until == (verdict.until if one.status == "not_due" else None)
                for part in (*one.reasons, *one.rules, one.next):
                    assert "–" not in part.text, part
                    assert "{" not in part.text, part


def test_each_case_holds_the_message_that_it_stands_in():
    for held in PORTFOLIO:
        seen = see(held.client, held.policy, held.scenario, held.as_of)
        for entry_id, case in cases(seen).items():
            assert case.entry.entry_id == entry_id
            assert case.verdict == seen.openly.decision.verdicts[entry_id]
            assert case.found == seen.openly.looks[entry_id].pending
            assert case.draft is None or entry_id in {member.entry.entry_id for member in case.draft.members}
            if case.draft is None:
                assert not isinstance(case.verdict, Due)
            assert bool(case.trail) == (case.found is not None) or held.client.never


def test_what_is_foretold_is_what_deciding_every_single_day_gives():
    """Rule 22.11: the first day on which it would be reminded, found over the days that could change something."""
    for held in PORTFOLIO[::6]:
        foretold = coming(held.client, held.policy, held.scenario, held.as_of)
        lived: dict[str, tuple[object, str]] = {}
        state = held.client
        for number in range(60):
            on = held.as_of + timedelta(days=number)
            decision = decide(state, held.policy, held.scenario, on)
            for entry_id, verdict in decision.verdicts.items():
                if isinstance(verdict, Due):
                    lived.setdefault(entry_id, (on, verdict.step))
            state = after(state, decision, on)
        horizon = held.as_of + timedelta(days=60)
        assert {key: tuple(one) for key, one in foretold.items() if one.on < horizon} == lived
