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


@pytest.mark.parametrize(
    ("verdict", "english", "french"),
    [
        (NotDue("R2", date(2025, 3, 28)), "R2 comes on 28 Mar 2025.", "L'étape R2 viendra le 28/03/2025."),
        (
            NotDue("notice", date(2025, 3, 2)),
            "Notice comes on 2 Mar 2025.",
            "L'étape prévenance viendra le 02/03/2025.",
        ),
        (
            Due("notice", UUID(int=1)),
            "Notice is due and stands in an action.",
            "L'étape prévenance est à faire et figure dans une action.",
        ),
        (
            NoStep("exhausted"),
            "The last step of the scenario is done.",
            "La dernière étape du scénario est faite.",
        ),
        (
            Excluded("R1", ("contacted_recently",), date(2025, 3, 28)),
            "The client was contacted a short time ago: put off until 28 Mar 2025.",
            "Le client a été contacté il y a peu : reporté au 28/03/2025.",
        ),
        (
            Excluded("R1", ("client_stopped",), date(2025, 3, 28)),
            "The client is not to be reminded.",
            "Le client n'est pas à relancer.",
        ),
    ],
    ids=["later", "notice later", "due", "exhausted", "contacted", "stopped"],
)
def test_verdicts_read_as_sentences(verdict, english, french):
    assert [one.text for one in explain.explain(verdict)] == [english]
    assert [one.text for one in explain.explain(verdict, "en")] == [english]
    assert [one.text for one in explain.explain(verdict, "fr")] == [french]


def test_each_reason_is_told_with_its_rule():
    both = explain.explain(Excluded("R1", ("client_stopped", "entry_stopped")), "fr")
    assert [one.rule for one in both] == ["8.1", "8.2"]
    assert explain.explain(NoStep("exhausted"))[0].rule == "4.10"
    assert explain.explain(Due("R1", UUID(int=1)))[0].code == "due"


def test_the_facts_of_a_reason_that_are_known_stand_in_its_sentence():
    until = date(2025, 3, 28)
    known = explain.explain_reason("contacted_recently", "en", {"until": date(2025, 3, 30)}, until)
    assert known.facts == {"until": "2025-03-30"}
    assert explain.explain_reason("contacted_recently", "en", None, until).facts == {"until": "2025-03-28"}
    assert explain.explain_reason("client_stopped", "en", None, until).facts == {}
