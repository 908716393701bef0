"""Habit: doing nothing has a name and a reason, in French and English, with its rule and its facts."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from services.dunning.domain import by_criteria, exclusions, explain, standing, thanks, triggers, verdicts
from services.dunning.domain.triggers import DELAY, STAGES
from services.dunning.domain.verdicts import Due, Excluded, NoStep, NotDue
from services.dunning.domain.words import EVERYTHING, REASONS, STEPS
from services.dunning.domain.words.telling import fields

CODES = (
    *exclusions.REASONS,
    *by_criteria.REASONS,
    *verdicts.NO_STEP_REASONS,
    *standing.WITHDRAWAL_REASONS,
    *thanks.WITHDRAWAL_REASONS,
)


@pytest.mark.parametrize("code", CODES)
def test_each_reason_of_the_engine_has_words_that_stand_without_facts(code):
    """Add a reason to the engine, and its words to ``services/dunning/domain/words/reasons.py``."""
    assert code in REASONS, f"{code} has no words"
    assert not fields(REASONS[code].sentences[-1][0]), (
        "the last sentence is told in lists, where no facts are known"
    )
    for language in ("en", "fr"):
        said = explain.explain_reason(code, language)
        assert said.text.endswith(".")
        assert re.fullmatch(r"\d+\.\d+", said.rule)


@pytest.mark.parametrize("code", sorted({*STAGES} - {DELAY}))
def test_each_stage_on_the_way_to_a_day_has_words(code):
    """Add a stage to ``triggers``, and its words to ``services/dunning/domain/words/steps.py``."""
    assert code in STEPS, f"{code} has no words"


def test_every_stage_of_triggers_is_listed():
    named = {value for name, value in vars(triggers).items() if name.isupper() and isinstance(value, str)}
    assert named == set(STAGES)


@pytest.mark.parametrize("words", EVERYTHING, ids=lambda words: words.code)
def test_each_thing_is_said_in_both_languages_with_the_same_facts(words):
    for english, french in words.sentences:
        assert english.strip()
        assert french.strip()
        assert english != french
        assert fields(english) == fields(french), (english, french)
        assert english.endswith((".", "{why}")), english
        assert french.endswith((".", "{why}")), french
    known = [fields(english) for english, _ in words.sentences]
    for earlier, later in pairwise(known):
        assert not earlier <= later, "a sentence after a plainer one is never told"


def test_no_code_is_said_in_two_places():
    codes = [words.code for words in EVERYTHING]
    assert len(codes) == len(set(codes))


def test_the_rules_cited_stand_in_the_living_copy():
    rules = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    for words in EVERYTHING:
        chapter, _, number = words.rule.partition(".")
        found = f"\n{words.rule} " in rules or f"| {words.rule} |" in rules
        assert found or (chapter == "22" and f"\n{number}. " in rules), words


def test_verdicts_read_as_sentences():
    assert explain.explain(NotDue("R2", date(2025, 3, 28)))[0].text == "R2 comes on 28 Mar 2025."
    assert explain.explain(NotDue("notice", date(2025, 3, 2)), "fr")[0].text == (
        "L'étape prévenance viendra le 02/03/2025."
    )
    assert explain.explain(Due("R1", UUID(int=1)))[0].code == "due"
    both = explain.explain(Excluded("R1", ("client_stopped", "entry_stopped")), "fr")
    assert [one.rule for one in both] == ["8.1", "8.2"]
    assert explain.explain(NoStep("exhausted"))[0].rule == "4.10"
