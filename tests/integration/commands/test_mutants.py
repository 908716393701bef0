"""How the command that changes the domains for the worse counts, keeps and shows what the specs noticed."""

import json

import pytest

from cli import mutants
from cli.mutants import MutantsFailed, forget_survivors, report, scores
from cli.mutants_page import Change, ReasonsRefused, changed_lines, page, read_reasons, why
from cli.mutants_seen import candidates, changes, reached_by_specs, unseen

FOUND = [
    ("services.dunning.domain.triggers.x_pending__mutmut_1", "killed"),
    ("services.dunning.domain.triggers.x_pending__mutmut_2", "timeout"),
    ("services.dunning.domain.triggers.x_pending__mutmut_3", "survived"),
    ("services.dunning.domain.policy.x_load__mutmut_1", "no tests"),
    ("services.dunning.domain.policy.x_load__mutmut_2", "not checked"),
]
DIFF = """--- services/dunning/domain/triggers.py
+++ services/dunning/domain/triggers.py
@@ -1,5 +1,5 @@
 def pending(
-    found.on <= as_of
+    found.on < as_of
     return
"""
SURVIVOR = Change("services.dunning.domain.triggers", "pending", "found.on <= as_of", "found.on < as_of")
REASONS = """
services.dunning.domain.triggers:
  pending:
    - was: found.on <= as_of
      becomes: found.on < as_of
      why: both are asked on the day itself only.
  Plan.steps:
    - why: whatever it is.
"""


def test_what_no_spec_reaches_has_survived_and_what_was_not_run_does_not_count():
    told = report(scores(FOUND))
    assert told["services.dunning.domain.triggers"] == {
        "score": 0.6667,
        "killed": 2,
        "survived": 1,
        "unchecked": 0,
    }
    assert told["services.dunning.domain.policy"] == {"score": 0.0, "killed": 0, "survived": 1, "unchecked": 1}
    assert told["all"] == {"score": 0.5, "killed": 2, "survived": 2, "unchecked": 1}
    assert told["survivors"] == [FOUND[2][0], FOUND[3][0]]


def test_nothing_run_is_no_score():
    assert report(scores([]))["survivors"] == []


def test_survivors_are_run_again_and_the_killed_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "FOLDER", tmp_path)
    with pytest.raises(MutantsFailed, match="--survivors"):
        forget_survivors()
    file = tmp_path / "services" / "triggers.py.meta"
    file.parent.mkdir()
    file.write_text(json.dumps({"exit_code_by_key": {"a": 1, "b": 0, "c": 33, "d": None, "e": -24}}))
    stats = tmp_path / "mutmut-stats.json"
    stats.write_text("{}")
    assert forget_survivors() == 2
    assert not stats.exists(), "which specs reach what is found out anew: one that was changed may reach others"
    assert json.loads(file.read_text())["exit_code_by_key"] == {"a": 1, "b": None, "c": None, "d": None, "e": -24}


def test_a_survivor_is_shown_as_what_the_line_was_and_becomes():
    assert changed_lines(DIFF) == (SURVIVOR.was, SURVIVOR.becomes)
    assert changed_lines("--- a\n+++ a\n-    one,\n-    two,\n") == ("one, two,", "")


def test_the_page_tells_the_score_of_each_file_and_why_a_survivor_may_live(tmp_path):
    file = tmp_path / "reasons.yaml"
    file.write_text(REASONS)
    unread = Change("services.dunning.domain.policy", "load", 'mode="item",', "")
    told = page(scores(FOUND), [SURVIVOR, unread], read_reasons(file)).splitlines()
    assert "| **all** | 4 | 2 | 2 | 1 | 1 | 50.0 % |" in told
    assert "| dunning.domain.triggers | 3 | 2 | 1 | 1 | 0 | 66.7 % |" in told
    assert (
        "- `pending`: `found.on <= as_of` becomes `found.on < as_of`: both are asked on the day itself only."
        in told
    )
    assert '- `load`: `mode="item",` goes: **not explained**' in told


def test_a_reason_may_be_said_of_a_whole_function_and_of_nothing_else(tmp_path):
    file = tmp_path / "reasons.yaml"
    file.write_text(REASONS)
    reasons = read_reasons(file)
    assert why(Change(SURVIVOR.module, "Plan.steps", "a", "b"), reasons) == "whatever it is."
    assert why(Change(SURVIVOR.module, "pending", "a", "b"), reasons) is None


@pytest.mark.parametrize("text", ["- a list", "a: [b]", "a: {b: c", "a: {b: [{was: x}]}"])
def test_a_file_of_reasons_that_cannot_be_read_is_named_with_its_shape(tmp_path, text):
    file = tmp_path / "reasons.yaml"
    file.write_text(text)
    with pytest.raises(ReasonsRefused, match=r"(?s)reasons\.yaml.*was, becomes, why"):
        read_reasons(file)


# Each spec is seen to fail

KEPT = {"tests/specs/test_a.py::test_one": "services.a.x_f__mutmut_1", "tests/specs/test_a.py::test_two": None}


def test_a_spec_is_given_one_change_of_each_function_in_turn_the_most_its_own_first():
    stats = {
        "tests_by_mangled_function_name": {"a.x_f": ["one", "two"], "a.x_g": ["one"], "a.x_h": ["two", "one"]}
    }
    assert reached_by_specs(stats) == {"one": ["a.x_g", "a.x_f", "a.x_h"], "two": ["a.x_f", "a.x_h"]}
    by_function = {"a.x_f": ["f1", "f2"], "a.x_h": ["h1"]}
    assert list(candidates(["a.x_g", "a.x_f", "a.x_h"], by_function)) == ["f1", "h1", "f2"]


def test_only_changes_that_some_spec_notices_are_given(tmp_path):
    file = tmp_path / "services" / "a.py.meta"
    file.parent.mkdir()
    codes = {"a.x_f__mutmut_1": 1, "a.x_f__mutmut_2": 0, "a.x_g__mutmut_1": 33, "a.x_g__mutmut_2": -24}
    file.write_text(json.dumps({"exit_code_by_key": codes | {"a.x_g__mutmut_3": None}}))
    assert changes(tmp_path) == {"a.x_f": ["a.x_f__mutmut_1"]}


def test_specs_that_notice_nothing_are_told_in_the_report_and_on_the_page(tmp_path):
    (tmp_path / "specs-seen.json").write_text(json.dumps(KEPT))
    seen = unseen(tmp_path)
    assert seen == (2, ["tests/specs/test_a.py::test_two"])
    assert report(scores(FOUND), seen)["specs_without_a_change"] == ["tests/specs/test_a.py::test_two"]
    assert "- `tests/specs/test_a.py::test_two`" in page(scores(FOUND), [], {}, seen).splitlines()
    assert "Each of them failed by one." in page(scores(FOUND), [], {}, (2, []))
    assert "## Specs" not in page(scores(FOUND), [], {})


def test_specs_are_seen_once_the_mutants_were_run(tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "FOLDER", tmp_path)
    with pytest.raises(MutantsFailed, match="run the mutants first"):
        mutants.see_specs()
