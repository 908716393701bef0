"""``./relance`` and the commands that look at an installation."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from chassis.database import engine, transaction
from chassis.eventlog import Cause, Said, append
from chassis.readiness import newest_migration
from cli.places import ROOT
from cli.stack import RunningStack
from contracts.ledger import ClientStopped

RELANCE = ROOT / "relance"


def relance(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(RELANCE), *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with RunningStack(tmp_path_factory.mktemp("running"), services=["ledger"]) as stack:
        yield stack


def test_it_runs_from_anywhere_and_through_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(RELANCE)
    done = subprocess.run([str(link), "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Start PostgreSQL, NATS and every service on this machine" in done.stdout


def test_a_file_of_the_callers_folder_is_not_taken_for_a_module(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise SystemExit('the wrong typer')")
    assert relance("--help", cwd=tmp_path).returncode == 0


def bare(folder: Path) -> tuple[Path, Path]:
    """A project of nothing but the script and the lock, and the tools that the script finds."""
    project, tools = folder / "project", folder / "bin"
    for made in (project, tools):
        made.mkdir()
    shutil.copy(RELANCE, project)
    shutil.copy(ROOT / "uv.lock", project)
    for tool in ("sh", "dirname", "readlink", "cksum", "tr", "mkdir", "rm", "cat", "sleep", "cut", "grep"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    return project / "relance", tools


def test_without_python_it_says_what_is_needed(tmp_path: Path) -> None:
    script, tools = bare(tmp_path)
    done = subprocess.run(
        [str(script), "up"], env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, or uv" in done.stderr
    assert not (script.parent / ".venv.lock").exists()


@pytest.mark.parametrize(("asked", "given"), [({}, "--python {tools}/python3"), ({"UV_PYTHON": "3.13"}, "")])
def test_it_is_installed_for_the_interpreter_that_is_asked_for(
    tmp_path: Path, asked: dict[str, str], given: str
) -> None:
    script, tools = bare(tmp_path)
    told = {
        "uv": '[ "$1" = --version ] && exit; echo "python=$UV_PYTHON $*" >&2; exit 1',
        "python3": "exit 0",
    }
    for name, text in told.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [str(script), "test"], env={"PATH": str(tools), **asked}, capture_output=True, text=True, check=False
    )
    assert f"python={asked.get('UV_PYTHON', '')} sync --frozen" in done.stderr
    assert ("--python" in done.stderr) == bool(given)
    assert given.format(tools=tools) in done.stderr


def test_trouble_that_can_be_named_is_one_sentence(data_dir: Path) -> None:
    done = relance("tail", "--data", str(data_dir))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"relance: no stack runs in {data_dir}; start one with: relance up --data {data_dir}\n"
    assert relance("serve", "accounting").returncode == 2


def test_the_doctor_looks_at_a_directory_where_nothing_runs(data_dir: Path) -> None:
    done = relance("doctor", "--json", "--data", str(data_dir))
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (0, True)
    assert {
        "level": "note",
        "what": "nothing runs in this data directory",
        "mend": "start it: ./relance up",
    } in report["findings"]


def test_the_doctor_names_what_is_wrong_and_how_to_mend_it(running: RunningStack) -> None:
    healthy = relance("doctor", "--json", "--data", str(running.data_dir))
    assert (healthy.returncode, json.loads(healthy.stdout)["ok"]) == (0, True), healthy.stdout
    parts = make_url(running.embedded.superuser_url)
    with psycopg.connect(
        user=parts.username,
        password=parts.password,
        dbname=parts.database,
        host=str(parts.query["host"]),
        autocommit=True,
    ) as admin:
        admin.execute("update ledger.alembic_version set version_num = 'old'")
        sick = relance("doctor", "--json", "--data", str(running.data_dir))
        admin.execute("update ledger.alembic_version set version_num = %s", (newest_migration("services.ledger"),))
    wrong = [one for one in json.loads(sick.stdout)["findings"] if one["level"] == "wrong"]
    assert sick.returncode == 1
    assert any("the schema ledger is at old" in one["what"] and "relance migrate" in one["mend"] for one in wrong)


async def test_tail_shows_what_is_said(running: RunningStack, company: str) -> None:
    log = engine(running.embedded.database_url("ledger", "worker"), "ledger")
    async with transaction(log) as tx:
        await append(
            tx,
            "ledger",
            company,
            [Said(ClientStopped(client_id="411A"), "411A")],
            as_of=date(2026, 3, 17),
            cause=Cause.new("user:7"),
        )
    await log.dispose()
    tail = await asyncio.create_subprocess_exec(
        str(RELANCE),
        *("tail", "--past", "--json", "--company", company, "--from", "ledger", "--data", str(running.data_dir)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert tail.stdout is not None
    line = json.loads(await asyncio.wait_for(tail.stdout.readline(), 60))
    tail.terminate()
    await tail.wait()
    assert (line["type"], line["client"], line["as_of"]) == (
        "relance.ledger.ClientStopped.v1",
        "411A",
        "2026-03-17",
    )


@pytest.mark.parametrize("told", ["dunning", "dunning=0", "dunning=two", "accounts=2"])
def test_workers_of_no_service_or_no_number_are_refused(told: str, tmp_path: Path) -> None:
    done = relance("up", "--workers", told, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "is not SERVICE=NUMBER" in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "data").exists()
