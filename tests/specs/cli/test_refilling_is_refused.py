"""A refusal to refill streams leaves nothing in the way of the next try."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli.app_disaster  # noqa: F401 - adds its commands
from cli import refilling
from cli.app import app
from cli.servers import Servers


@contextmanager
def _addresses(*_: Any, **__: Any) -> Iterator[tuple[str, str]]:
    yield "postgresql://", "nats://"


def test_after_a_refusal_the_same_command_may_be_given_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def services_run(*_: Any) -> list[refilling.Refilled]:
        raise refilling.ServicesRun(["ledger_worker"])

    monkeypatch.setattr(Servers, "reached", _addresses)
    monkeypatch.setattr(refilling, "refill", services_run)
    lost = tmp_path / "lost-events.jsonl"
    command = ["refill", "--lost", str(lost)]

    assert CliRunner().invoke(app, command).exit_code == 1
    assert not lost.exists()
    monkeypatch.setattr(refilling, "refill", lambda *_: [])
    assert CliRunner().invoke(app, command).exit_code == 0


def test_what_was_written_down_before_a_hindrance_is_never_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def half(_dsn: str, _nats: str, _speakers: Any, lost: Any) -> list[refilling.Refilled]:
        lost.write("{}\n")
        raise refilling.StreamUnreadable("EVT_ledger", 3, 9)

    monkeypatch.setattr(Servers, "reached", _addresses)
    monkeypatch.setattr(refilling, "refill", half)
    lost = tmp_path / "lost-events.jsonl"
    command = ["refill", "--lost", str(lost)]

    assert CliRunner().invoke(app, command).exit_code == 1
    assert lost.read_text() == "{}\n"
    assert CliRunner().invoke(app, command).exit_code == 2
