"""``relance explain``: what is asked of dunning, and what a person reads (product C18)."""

import json
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli.app_explain
import cli.main_job
from cli.app import app
from cli.road import RoadBlocked
from tests.integration.console.fixture_explained import explained
from tests.integration.console.neighbours import entry_id

CLIENT = "411MUNOZSA"


class Asked:
    """Plays the road to dunning."""

    def __init__(self, **more: Any) -> None:
        self.questions: list[dict[str, Any]] = []
        self.closed = False
        self.more = more

    def explain(self, **asked: Any) -> dict[str, Any]:
        self.questions.append(asked)
        return {**explained(), "known": True, "view": "now", **self.more}

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def road(monkeypatch: pytest.MonkeyPatch) -> Asked:
    road = Asked()
    monkeypatch.setattr(cli.main_job, "road_of", lambda _data, _company: road)
    return road


def explain(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["explain", "--company", "delcourt", *arguments])


def test_every_open_entry_of_a_client_is_told_with_its_rules_and_what_comes_next(road: Asked):
    told = explain("--client", CLIENT)
    assert told.exit_code == 0, told.output
    for one in explained()["entries"]:
        for part in (*one["reasons"], *one["rules"], one["next"]):
            assert f"{part['text']}  ({part['rule']})" in told.output
    for line in explained()["history"]:
        assert line["text"] in told.output
    assert road.questions == [
        {"client_id": CLIENT, "entry_id": None, "as_of": None, "language": "fr", "history": True}
    ]
    assert road.closed


def test_a_past_day_is_asked_for_in_english_without_history(road: Asked):
    road.more = {"view": "past", "as_of": "2026-11-10", "today": "2026-11-24"}
    told = explain("--client", CLIENT, "--as-of", "2026-11-10", "--lang", "en", "--no-history")
    assert "As known on 2026-11-10 (today is 2026-11-24)" in told.output
    (question,) = road.questions
    assert (question["as_of"], question["language"], question["history"]) == (date(2026, 11, 10), "en", False)


def test_an_entry_is_named_by_its_id_or_by_the_piece_of_its_client(road: Asked):
    piece = explained()["entries"][0]["piece"]
    by_piece = json.loads(explain("--client", CLIENT, "--entry", piece, "--json").output)
    assert [one["piece"] for one in by_piece["entries"]] == [piece]
    mine = by_piece["entries"][0]["entry_id"]
    assert all(not line["entries"] or mine in line["entries"] for line in by_piece["history"])
    explain("--entry", entry_id(piece))
    assert [one["entry_id"] for one in road.questions] == [None, entry_id(piece)]


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--entry", "FAC20114"), "give the --client whose piece it is"),
        (("--client", CLIENT, "--entry", "NO"), "no open"),
    ],
)
def test_a_piece_that_cannot_be_found_says_what_to_give(road: Asked, arguments: tuple[str, ...], remedy: str):
    told = explain(*arguments)
    assert isinstance(told.exception, RoadBlocked)
    assert remedy in str(told.exception)
    assert road.closed


@pytest.mark.parametrize("arguments", [(), ("--client", CLIENT, "--lang", "de")])
def test_what_is_missing_or_wrong_is_refused_before_anybody_is_asked(road: Asked, arguments: tuple[str, ...]):
    assert explain(*arguments).exit_code == 2
    assert road.questions == []


def test_a_day_before_anything_was_known_and_a_history_that_cannot_be_read(road: Asked):
    road.more = {"known": False}
    assert "Rien n’était connu" in explain("--client", CLIENT).output
    road.more = {"history": None, "entries": []}
    told = explain("--client", CLIENT).output
    assert "Aucune pièce non lettrée." in told
    assert "L’historique ne peut pas être lu" in told


def test_words_in_square_brackets_are_text_and_no_markup(road: Asked):
    road.more = {
        "history": [
            {"on": "2026-11-24", "text": "La pièce [red]F1[/red]", "by": "user", "rule": "1.1", "entries": []}
        ]
    }
    assert "[red]F1[/red]" in explain("--client", CLIENT).output
