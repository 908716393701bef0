"""C18: an explanation never contradicts the decision it explains, and what it foretells comes."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import assume, settings
from hypothesis import given as forall

from services.dunning.domain.case import cases, see
from services.dunning.domain.decision import decide, decide_openly
from services.dunning.domain.explain import explain_client
from services.dunning.domain.forward import after, coming
from services.dunning.domain.triggers import Trail, pending
from services.dunning.domain.verdicts import Due, Excluded, NoStep, NotDue
from tests.specs.dunning.test_properties import as_known_on
from tests.specs.dunning.test_properties import cases as drawn


@settings(max_examples=300, deadline=None)
@forall(*drawn)
def test_deciding_openly_is_deciding(client, policy, scen, as_of):
    assert decide_openly(client, policy, scen, as_of).decision == decide(client, policy, scen, as_of)


@settings(max_examples=300, deadline=None)
@forall(*drawn)
def test_the_way_to_a_day_ends_on_that_day_and_does_not_change_it(client, policy, scen, as_of):
    plan = scen.plan(client.has_email)
    for entry in client.entries:
        trail: Trail = []
        found = pending(entry, plan, as_of, trail)
        assert found == pending(entry, plan, as_of)
        if found is not None:
            assert trail[-1].on == found.on
            for before, stage in pairwise(trail):
                if stage.code == "delay":
                    assert before.on + timedelta(days=stage.days) == stage.on


@settings(max_examples=300, deadline=None)
@forall(*drawn)
def test_the_explanation_says_the_verdict_and_nothing_else(client, policy, scen, as_of):
    seen = see(client, policy, scen, as_of)
    decision = decide(client, policy, scen, as_of)
    for language in ("fr", "en"):
        told = explain_client(seen, language)
        assert told.keys() == decision.verdicts.keys()
        for entry_id, one in told.items():
            codes = tuple(reason.code for reason in one.reasons)
            match decision.verdicts[entry_id]:
                case Due(step):
                    assert (one.status, one.step, codes) == ("due", step, ("due",))
                    assert one.coming is not None
                    assert one.coming.on == as_of
                case NotDue(step, until):
                    assert (one.status, one.step, one.until, codes) == ("not_due", step, until, ("not_due",))
                    assert one.reasons[0].facts["until"] == until.isoformat()
                case Excluded(step, reasons):
                    assert (one.status, one.step, codes) == ("excluded", step, reasons)
                case NoStep(reason):
                    assert (one.status, codes) == ("no_step", (reason,))
            for part in (*one.reasons, *one.rules, one.next):
                assert "–" not in part.text, part
                assert "{" not in part.text, part


@settings(max_examples=300, deadline=None)
@forall(*drawn)
def test_the_facts_of_a_reason_bear_it_out(client, policy, scen, as_of):
    """Amounts compared are on the side of the threshold that the reason says."""
    seen = see(client, policy, scen, as_of)
    told = explain_client(seen, "en")
    for entry_id, case in cases(seen).items():
        facts = {part.code: part.facts for part in (*told[entry_id].reasons, *told[entry_id].rules)}

        def amount(code: str, name: str, facts: dict[str, dict[str, dict[str, str]]] = facts) -> float:
            return float(facts[code][name]["amount"])

        if "below_entry_minimum" in facts:
            assert amount("below_entry_minimum", "amount") < amount("below_entry_minimum", "minimum")
            assert "above_entry_minimum" not in facts
        if "above_entry_minimum" in facts:
            assert amount("above_entry_minimum", "amount") >= amount("above_entry_minimum", "minimum")
        if "below_minimum" in facts:
            assert amount("below_minimum", "booked") < amount("below_minimum", "minimum")
        if "above_maximum" in facts:
            assert amount("above_maximum", "booked") > amount("above_maximum", "maximum")
        if facts.get("net_not_positive"):
            assert amount("net_not_positive", "net") <= 0
        if "credits_deducted" in facts:
            deducted = facts["credits_deducted"]
            assert amount("credits_deducted", "debits") - amount("credits_deducted", "credits") == amount(
                "credits_deducted", "net"
            ), deducted
        if "promise_ahead" in facts:
            assert date.fromisoformat(str(facts["promise_ahead"]["promised_on"])) > as_of
            assert not {"promise_late", "promise_alone", "promise_reached"} & facts.keys()
        if isinstance(case.verdict, Excluded):
            assert not {"client_stop_over"} & facts.keys() or "client_stopped" not in facts


@settings(max_examples=150, deadline=None)
@forall(*drawn)
def test_what_is_foretold_is_what_deciding_every_single_day_gives(client, policy, scen, as_of):
    """Rule 22.11: the first day on which it would be reminded, found over the days that could change something."""
    # the round that led to a contact was before it
    assume(all(one.round_on is None or one.round_on <= one.on for one in client.contacts))
    client = as_known_on(as_of, client)
    foretold = coming(client, policy, scen, as_of)
    lived: dict[str, tuple[date, str]] = {}
    state = client
    for number in range(150):
        on = as_of + timedelta(days=number)
        decision = decide(state, policy, scen, on)
        for entry_id, verdict in decision.verdicts.items():
            if isinstance(verdict, Due):
                lived.setdefault(entry_id, (on, verdict.step))
        state = after(state, decision, on)
    horizon = as_of + timedelta(days=150)
    assert {key: tuple(one) for key, one in foretold.items() if one.on < horizon} == lived
