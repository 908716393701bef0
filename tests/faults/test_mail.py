"""Notify killed while a mail server misbehaves; ``./relance faults mail`` is the long form."""

import json
import mailbox
import subprocess
import sys
from pathlib import Path

import pytest

from cli.faults.count_mails import count
from cli.faults.mail import COUNTER, mail_campaign

MAILS, KILLS = 250, 3


def test_every_message_is_in_the_mailbox_once_but_for_those_in_doubt() -> None:
    told: list[str] = []
    found = mail_campaign(kills=KILLS, mails=MAILS, seed=3, report=told.append)
    assert found["kills"] == KILLS, told
    assert found["wrong"] == {}
    assert found["after_resolving"]["wrong"] == {}
    assert found["after_resolving"]["in_doubt"] == 0
    assert found["after_resolving"]["received"] == MAILS - found["after_resolving"]["refused_for_good"]
    assert found["ok"], found


def _mailbox(folder: Path, *names: str) -> Path:
    kept = mailbox.Maildir(folder / "mailbox")
    for name in names:
        kept.add(f"Message-ID: <{name}@relance.example>\n\nBonjour\n")
    return folder / "mailbox"


@pytest.mark.parametrize(
    ("received", "told", "wrong"),
    [
        (["a", "b"], {"sent": 2, "failed": [], "in_doubt": []}, []),
        (["a"], {"sent": 1, "failed": [], "in_doubt": ["b"]}, []),
        (["a", "b", "b"], {"sent": 2, "failed": [], "in_doubt": []}, ["received twice"]),
        (["a"], {"sent": 2, "failed": [], "in_doubt": []}, ["missing and not named"]),
        (["a", "b", "c"], {"sent": 2, "failed": [], "in_doubt": []}, ["received and never asked for"]),
        (["a", "b"], {"sent": 1, "failed": [], "in_doubt": []}, ["told of"]),
        (
            ["a", "b"],
            {"sent": 1, "failed": ["b"], "in_doubt": []},
            ["said to have failed, and received", "said to have failed, and not refused"],
        ),
        (["a"], {"sent": 0, "failed": [], "in_doubt": ["a", "b"]}, ["in doubt"]),
    ],
)
def test_the_count_finds_what_is_wrong(
    tmp_path: Path, received: list[str], told: dict[str, object], wrong: list[str]
) -> None:
    found = count(_mailbox(tmp_path, *received), tmp_path / "none", ["a", "b"], told, 1)
    assert list(found["wrong"]) == wrong


def test_the_counting_program_runs_without_our_code(tmp_path: Path) -> None:
    box = _mailbox(tmp_path, "a")
    for name, value in (("asked", ["a"]), ("told", {"sent": 1, "failed": [], "in_doubt": []})):
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    arguments = [box, tmp_path / "none", tmp_path / "asked.json", tmp_path / "told.json"]
    command = [sys.executable, "-I", "-S", str(COUNTER), *map(str, arguments)]
    counted = subprocess.run(command, capture_output=True, text=True, cwd="/", check=True)
    assert json.loads(counted.stdout)["received"] == 1
