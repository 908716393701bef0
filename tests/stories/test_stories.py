"""Every story of this folder is told by the real rules and must end as it says itself."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import app
from cli.story import told, told_with_calendar
from cli.story.reading import StoryRefused

HERE = Path(__file__).parent
DIARIES = sorted(HERE.glob("*.calendar.txt"))
STORIES = sorted(set(HERE.glob("*.yaml")) - {diary.with_suffix("").with_suffix(".yaml") for diary in DIARIES})


@pytest.mark.parametrize("file", STORIES, ids=lambda file: file.stem)
def test_the_story_ends_as_it_says(file):
    assert "expect:" in file.read_text(encoding="utf-8")
    _, missed = told(file)
    assert missed == []


@pytest.mark.parametrize("diary", DIARIES, ids=lambda file: file.name)
def test_the_year_goes_as_its_diary_says(diary):
    """Golden: after a change of the rules that is meant, tell it anew and read every line that differs.

    ``./relance story tests/stories/a_year.yaml --calendar > tests/stories/a_year.calendar.txt``
    """
    _, _, text = told_with_calendar(diary.with_suffix("").with_suffix(".yaml"))
    assert text.splitlines() == diary.read_text(encoding="utf-8").splitlines()


def test_the_answer_lists_actions_and_every_other_open_entry():
    ran = CliRunner().invoke(app, ["story", str(HERE / "sample.yaml"), "--json"])
    assert ran.exit_code == 0
    first, second, *_ = json.loads(ran.stdout)["rounds"]
    assert first["date"] == "2013-03-31"
    assert first["actions"] == [
        {
            "date": "2013-03-31",
            "client": "C1",
            "step": "R1",
            "medium": "email",
            "currency": "EUR",
            "amount": "500.00",
            "net_amount": "500.00",
            "due_since": "2013-03-20",
            "new": True,
            "opened_on": "2013-03-31",
            "automatic": False,
            "entries": [{"entry": "SI_2", "amount": "500.00", "level_before": None, "level_after": "R1"}],
        }
    ]
    assert second["others"][0]["next_on"] == "2013-04-30"


def test_people_read_a_table():
    ran = CliRunner(env={"COLUMNS": "140"}).invoke(app, ["story", str(HERE / "rule_21_8_thresholds.yaml")])
    assert ran.exit_code == 0
    assert "Round of 2025-03-18" in ran.stdout
    assert "below the minimum" in ran.stdout


def test_a_missed_expectation_exits_1_and_names_its_place(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "clients: {C: {}}\n"
        "days:\n"
        "  2025-01-01:\n"
        "    - invoice: {client: C, entry: F, amount: 5, due: 2025-01-01}\n"
        "    - round: {}\n"
        "    - expect: {levels: {F: R1}}\n"
    )
    ran = CliRunner().invoke(app, ["story", str(file), "--check"])
    assert ran.exit_code == 1
    assert f"{file}:6: days.2025-01-01.2.expect: levels.F: expected R1, got none" in ran.output


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("clients: {C: {}}\ndays: {2025-01-01: [{rond: {}}]}", ":2: days.2025-01-01.0.rond: is not a word"),
        ("clients: {C: {}}\nday: {}", ":2: day: is not a word of stories"),
        ("clients: {C: {}}\ndays: {2025-01-01: [{stop: {client: D}}]}", ":2: days.2025-01-01.0.stop.client: D is"),
        ("clients: {C: {}}\nclients: {D: {}}\ndays: {2025-01-01: [{round: {}}]}", ":2: clients: stands here"),
        ("clients: {C: {}}\ndays: {yesterday: [{round: {}}]}", ":2: days.yesterday"),
        ("clients: [", ":2: story:"),
        ("", ":1: story:"),
        (
            "clients: {C: {}}\n"
            "scenarios:\n"
            "  Standard: [{step: R1, medium: phone, delay: 3, from: previous_step}]\n"
            "days: {2025-01-01: [{round: {}}]}",
            ":3: scenarios.Standard: Standard, with e-mail, R1: R1 is the first active reminder",
        ),
        ("company: {mode: both}\nclients: {C: {}}\ndays: {2025-01-01: [{round: {}}]}", ":1: company: mode 'both'"),
        (
            "clients: {C: {}}\n"
            "days: {2025-01-01: [{invoice: {client: C, entry: F, amount: much, due: 2025-01-01}}]}",
            ":2: days.2025-01-01.0.invoice.amount: Input should be a valid decimal",
        ),
        (
            "clients: {C: {}}\ndays: {2025-01-01: [{invoice: {client: C, entry: F, amount: 1, due: 2025-01-01,"
            " currency: USD}}]}",
            ".invoice.book_amount: an entry in USD needs its amount in EUR",
        ),
        ("clients: {C: {}}\ndays: {2025-01-01: [{round: {}}, {round: {}}]}", "a company has one round a day"),
    ],
)
def test_a_bad_story_is_refused_naming_file_line_and_key(tmp_path, text, complaint):
    file = tmp_path / "bad.yaml"
    file.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(StoryRefused) as refused:
        told(file)
    assert any(one.startswith(str(file)) and complaint in one for one in refused.value.complaints), (
        refused.value.complaints
    )


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoryRefused, match=f"{tmp_path}{os.sep}none.yaml:1: story: cannot be read"):
        told(tmp_path / "none.yaml")


def test_a_diary_tells_each_day_once_in_the_order_of_the_round(tmp_path):
    file = tmp_path / "diary.yaml"
    file.write_text(
        "scenarios: {Standard: [{step: R1, medium: email, delay: 2}]}\n"
        "rounds: {from: 2025-01-06, until: 2025-01-13, weekdays: [mon, wed], carry_out: all}\n"
        "clients: {C: {email: c@example.org}}\n"
        "days:\n"
        "  2025-01-03:\n"
        "    - invoice: {client: C, entry: F, amount: 1200.5, due: 2025-01-06}\n"
        "    - invoice: {client: C, entry: G, amount: 80, due: 2025-01-06}\n"
        "    - stop: {entry: G, resumes_on: 2025-01-10}\n"
    )
    ran = CliRunner().invoke(app, ["story", str(file), "--calendar"])
    assert ran.stdout.splitlines() == [
        "2025-01-03 Friday",
        "  heard      invoice client=C entry=F amount=1200.5 due=2025-01-06",
        "  heard      invoice client=C entry=G amount=80 due=2025-01-06",
        "  heard      stop entry=G resumes_on=2025-01-10",
        "",
        "2025-01-08 Wednesday",
        "  says       C R1 by email, 1 200.50 EUR since 2025-01-08: F 1 200.50",
        "  holds back C G R1: entry_stopped",
        "",
        "2025-01-13 Monday",
        "  lets go    C G",
        "  says       C R1 by email, 80.00 EUR since 2025-01-08: G 80.00",
        "  exhausted  C F",
    ]
