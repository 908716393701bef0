"""``relance subscriber`` and ``relance webhook``: what they ask of reporting, and where a secret goes."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli.app_subscriber  # noqa: F401 - adds its commands
from cli import main_job
from cli.app import app
from cli.road import RoadBlocked

CONNECT = {"url": "nats://127.0.0.1:4222", "user": "crm@delcourt", "password": "s3cret", "consumers": []}
WEBHOOK = "11111111-2222-4333-8444-555555555555"


class PlayedRoad:
    """Answers as reporting does, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answer: dict[str, Any] = {}

    def ask_of(self, service: str, method: str, path: str, **request: Any) -> dict[str, Any]:
        assert service == "reporting"
        self.asked.append((method, path, request.get("json", request.get("params"))))
        if "refused" in self.answer:
            raise RoadBlocked(self.answer["refused"])
        return self.answer


@pytest.fixture
def road(monkeypatch: pytest.MonkeyPatch) -> PlayedRoad:
    played = PlayedRoad()
    monkeypatch.setattr(main_job, "road_of", lambda *_: played)
    return played


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--company", "delcourt"])


def test_what_is_handed_out_goes_to_a_file_that_its_owner_alone_reads(road: PlayedRoad, tmp_path: Path) -> None:
    road.answer = {"name": "crm", "connect": CONNECT}
    file = tmp_path / "subscriber.json"
    done = run("subscriber", "add", "crm", "--events", "PromiseRecorded, EmailSent", "--to", str(file))
    assert done.exit_code == 0, done.output
    body = {"name": "crm", "events": ["PromiseRecorded", "EmailSent"], "since": None}
    assert road.asked == [("POST", "/subscribers", body)]
    assert json.loads(file.read_text()) == CONNECT
    assert file.stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in done.output


def test_a_replay_names_the_day(road: PlayedRoad) -> None:
    road.answer = {"name": "crm", "since": "2026-10-01T00:00:00+02:00"}
    done = run("subscriber", "replay", "crm", "--from", "2026-10-01")
    assert road.asked == [("POST", "/subscribers/replay", {"name": "crm", "since": "2026-10-01"})]
    assert "2026-10-01" in done.output


def test_a_refusal_is_a_sentence_and_an_exit_code(road: PlayedRoad) -> None:
    road.answer = {"refused": "There is no such event. no service says Promis (did you mean PromiseKept?)"}
    done = run("subscriber", "add", "crm", "--events", "Promis")
    assert done.exit_code == 1
    assert "did you mean" in done.output


def test_a_webhook_that_does_not_take_the_test_fails_the_command(road: PlayedRoad) -> None:
    road.answer = {"ok": False, "status": 503, "told": "answered 503", "seconds": 0.2}
    done = run("webhook", "test", WEBHOOK)
    assert (done.exit_code, road.asked) == (1, [("POST", "/webhooks/test", {"webhook_id": WEBHOOK})])
    assert "answered 503 after 0.2 s" in done.output


def test_what_is_left_out_of_a_change_stays_as_it_is(road: PlayedRoad) -> None:
    road.answer = {"webhook_id": WEBHOOK, "url": "https://crm.example/x", "events": ["*"], "active": False}
    run("webhook", "change", WEBHOOK, "--rest")
    body = {"webhook_id": WEBHOOK, "url": None, "events": None, "active": False}
    assert road.asked == [("POST", "/webhooks/change", body)]
