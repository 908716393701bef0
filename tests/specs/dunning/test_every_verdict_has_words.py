"""Habit: doing nothing has a name and a reason, in French and English, with its rule."""

import re
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from services.dunning.domain import decision, exclusions, explain, standing
from services.dunning.domain.verdicts import Due, Excluded, NoStep, NotDue

CODES = (*exclusions.REASONS, *decision.NO_STEP_REASONS, *standing.WITHDRAWAL_REASONS)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_reason_is_a_sentence_with_a_rule(code, language):
    said = explain.explain_reason(code, language)
    assert said.text.endswith(".")
    assert re.fullmatch(r"\d+\.\d+", said.rule)


def test_no_reason_is_without_words_and_no_words_without_reason():
    assert set(explain.SENTENCES) == set(CODES)
    sentences = {sentence.text for sentence in explain.SENTENCES.values()}
    assert set(explain.FRENCH) == sentences | {explain.DUE.text, explain.NOT_DUE.text}


def test_the_rules_cited_stand_in_the_living_copy():
    rules = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    for sentence in (*explain.SENTENCES.values(), explain.DUE, explain.NOT_DUE):
        chapter, _, number = sentence.rule.partition(".")
        found = f"\n{sentence.rule} " in rules or f"| {sentence.rule} |" in rules
        assert found or (chapter == "22" and f"\n{number}. " in rules), sentence


def test_verdicts_read_as_sentences():
    assert explain.explain(NotDue("R2", date(2025, 3, 28)))[0].text == "R2 comes on 2025-03-28."
    assert explain.explain(NotDue("notice", date(2025, 3, 2)), "fr")[0].text == (
        "L'étape prévenance viendra le 02/03/2025."
    )
    assert explain.explain(Due("R1", UUID(int=1)))[0].code == "due"
    both = explain.explain(Excluded("R1", ("client_stopped", "entry_stopped")), "fr")
    assert [one.rule for one in both] == ["8.1", "8.2"]
    assert explain.explain(NoStep("exhausted"))[0].rule == "4.10"
