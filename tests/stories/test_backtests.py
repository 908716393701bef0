"""Stories decided every day anew, and against a draft."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.__main__ import run  # noqa: F401 - adds the commands
from cli.app import app
from cli.story.backtest import answer
from cli.story.reading import StoryRefused

HERE = Path(__file__).parent
STORY = """
clients:
  C1: {email: c1@example.org}
  C2: {}
days:
  2025-03-01:
    - {invoice: {client: C1, entry: F1, amount: 100, due: 2025-03-10}}
    - {invoice: {client: C2, entry: G1, amount: 200, due: 2025-03-10}}
  2025-03-20:
    - {payment: {client: C1, entry: P1, amount: 100}}
    - {letter: {entries: [F1, P1], code: A}}
  2025-03-30:
    - {round: {}}
"""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    file = tmp_path / "story.yaml"
    file.write_text(STORY, encoding="utf-8")
    return file


def told(answered: dict) -> list[tuple[str, str, str]]:
    return [(one["on"], one["step"], one["medium"]) for one in answered["calendar"]]


def test_a_story_is_decided_on_every_day_of_it(story: Path) -> None:
    assert told(answer(story, None)) == [
        ("2025-03-02", "notice", "email"),
        ("2025-03-18", "R1", "email"),
        ("2025-03-18", "R1", "letter"),
        ("2025-03-26", "R2", "phone"),
    ]


def test_rules_of_a_story_change_on_their_day(story: Path) -> None:
    story.write_text(
        STORY.replace("2025-03-20:", "2025-03-18:\n    - {policy: {minimum_per_entry: 150}}\n  2025-03-20:")
    )
    assert told(answer(story, None))[1:] == [("2025-03-18", "R1", "letter"), ("2025-03-26", "R2", "phone")]
    story.write_text(
        STORY.replace("2025-03-20:", "2025-03-19:\n    - {policy: {minimum_per_entry: 150}}\n  2025-03-20:")
    )
    assert ("2025-03-18", "R1", "email") in told(answer(story, None))


def test_a_draft_is_compared_client_by_client(story: Path) -> None:
    letter = {"step": "R1", "medium": "letter", "delay_days": 8, "template": "R1"}
    answered = answer(
        story, {"scenarios": [{"profile": "Standard", "with_email": [letter], "without_email": [letter]}]}
    )
    differences = {one["client_id"]: one["kinds"] for one in answered["differences"]}
    assert differences == {"C1": ["fewer", "other"], "C2": ["fewer"]}
    assert answered["totals"]["contacts"] == 2
    assert answered["current"]["totals"]["contacts"] == 4


def test_a_draft_that_cannot_work_is_named(story: Path) -> None:
    with pytest.raises(StoryRefused, match="draft"):
        answer(
            story, {"scenarios": [{"profile": "Standard", "with_email": [], "without_email": [{"step": "R9"}]}]}
        )


@pytest.mark.parametrize("file", sorted(HERE.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_story_can_be_backtested(file: Path) -> None:
    answered = answer(file, None)
    assert answered["from"] <= answered["to"]
    assert answered["totals"]["contacts"] == sum(one["contacts"] for one in answered["steps"])


def test_the_command_tells_it_to_machines_and_people(story: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(json.dumps({"policy": {"minimum_per_entry": "150"}}))
    done = CliRunner().invoke(app, ["backtest", str(story), "--scenario", str(draft), "--json"])
    assert json.loads(done.stdout)["totals"]["contacts"] == 2
    done = CliRunner().invoke(app, ["backtest", str(story), "--scenario", str(draft)])
    assert "C1: fewer, 2 → 0" in done.stdout
    assert CliRunner().invoke(app, ["backtest"]).exit_code == 2
