"""The programs of docs/guide/subscribing.md are taken from the page and run as they stand there."""

import asyncio
import json
import re
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.server_process import free_port
from cli.places import ROOT
from contracts.ledger import NoteAdded
from tests.integration.reporting.conftest import House, Voices
from tests.integration.reporting.test_subscribers import command, stopped
from tests.integration.reporting.test_webhooks import sender  # noqa: F401 - a fixture

PAGE = ROOT / "docs" / "guide" / "subscribing.md"
PATIENCE_SECONDS = 30


def program(name: str, folder: Path) -> Path:
    """The block of code that begins with a comment naming this file."""
    blocks = re.findall(
        r"^```\w+\n((?:#|//) (\S+?\.\w+)\b.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
    found = {called: code for code, called in blocks}
    file = folder / name
    file.write_text(found[name], encoding="utf-8")
    return file


@asynccontextmanager
async def running(*command: str | Path, cwd: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=PIPE, stderr=PIPE, cwd=cwd)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def printed(process: Process, count: int) -> list[Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    lines = []
    for _ in range(count):
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
        assert line, (await process.stderr.read()).decode()
        lines.append(json.loads(line))
    return lines


async def handed_out(house: House, company: str, folder: Path) -> Path:
    """What ``relance subscriber add … --to subscriber.json`` writes."""
    added = await command(house, company, "/subscribers", 201, name="crm", events=["ClientStopped", "EmailSent"])
    file = folder / "subscriber.json"
    file.write_text(json.dumps(added["connect"], indent=2))
    return file


async def something_is_said(voices: Voices, company: str) -> None:
    await voices.say(company, stopped("Société Ünique"))
    await voices.say(company, NoteAdded(client_id="C1", note_id=uuid4()))
    await voices.say(f"{company}x", stopped("C9"))
    await voices.say(company, stopped("C2"))


def whom(lines: list[Any]) -> list[tuple[str, str]]:
    """Type and client, in whatever order the events of two clients came."""
    return sorted((kind, subject) for _, kind, subject, _ in lines)


EXPECTED = [
    ("relance.ledger.ClientStopped.v1", "C2"),
    ("relance.ledger.ClientStopped.v1", "Société Ünique"),
]


async def test_the_python_program_and_a_replay(house: House, voices: Voices, company: str, tmp_path: Path) -> None:
    told = await handed_out(house, company, tmp_path)
    await something_is_said(voices, company)
    async with running(sys.executable, "-P", program("listen.py", tmp_path), told, cwd=tmp_path) as listening:
        first = await printed(listening, 2)
        assert whom(first) == EXPECTED
        await command(house, company, "/subscribers/replay", name="crm", since="2026-01-01")
        assert sorted(await printed(listening, 2)) == sorted(first), "a program that is running hears it again"


async def test_the_javascript_program(house: House, voices: Voices, company: str, tmp_path: Path) -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("there is no Node.js here")
    wanted = re.findall(r"`npm install (.*?)`", PAGE.read_text(encoding="utf-8"))[0].split()
    async with running("npm", "install", "--no-audit", "--no-fund", *wanted, cwd=tmp_path) as installing:
        _, told = await installing.communicate()
        if installing.returncode != 0:
            pytest.skip(f"npm could not fetch the libraries: {told.decode()[-200:]}")
    subscriber = await handed_out(house, company, tmp_path)
    await something_is_said(voices, company)
    async with running("node", program("listen.mjs", tmp_path), subscriber, cwd=tmp_path) as listening:
        assert whom(await printed(listening, 2)) == EXPECTED


async def test_the_protocol_alone(house: House, voices: Voices, company: str, tmp_path: Path) -> None:
    told = await handed_out(house, company, tmp_path)
    await something_is_said(voices, company)
    heard = []
    for _ in range(2):
        async with running("bash", program("listen.sh", tmp_path), told, cwd=tmp_path) as listening:
            output, complaints = await asyncio.wait_for(listening.communicate(), PATIENCE_SECONDS)
            assert listening.returncode == 0, complaints
            heard.append(re.findall(r"^ce-(?:type|subject): (.*?)\r?$", output.decode(), re.M))
    assert sorted(map(sorted, heard)) == [
        ["C2", "relance.ledger.ClientStopped.v1"],
        ["Soci%C3%A9t%C3%A9%20%C3%9Cnique", "relance.ledger.ClientStopped.v1"],
    ]


async def test_the_nats_command(house: House, voices: Voices, company: str, tmp_path: Path) -> None:
    if not shutil.which("nats"):
        pytest.skip("the nats command is not here")
    told = json.loads((await handed_out(house, company, tmp_path)).read_text())
    await something_is_said(voices, company)
    block = re.findall(r"^```console\n(nats .*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)[0]
    typed = block.replace("nats://127.0.0.1:4222", told["url"]).replace("crm@delcourt", told["user"])
    typed = typed.replace('"$SECRET"', told["password"]).replace("--count 10", "--count 2")
    async with running("bash", "-c", typed, cwd=tmp_path) as asking:
        output, complaints = await asyncio.wait_for(asking.communicate(), PATIENCE_SECONDS)
        assert output.decode().count("relance.ledger.ClientStopped.v1") == 2, complaints


@pytest.mark.usefixtures("sender")
async def test_the_receiver_of_webhooks(house: House, voices: Voices, company: str, tmp_path: Path) -> None:
    port = free_port()
    added = await command(
        house, company, "/webhooks", 201, url=f"http://127.0.0.1:{port}/", events=["ClientStopped"]
    )
    receive = program("receive.py", tmp_path)
    async with running(sys.executable, "-P", receive, added["secret"], str(port), cwd=tmp_path) as receiving:
        await something_is_said(voices, company)
        assert whom(await printed(receiving, 2)) == EXPECTED


def test_the_page_names_no_variable_that_nobody_reads() -> None:
    from services.reporting.settings import ReportingSettings

    known = {f"RELANCE_{name.upper()}" for name in ReportingSettings.model_fields} | {"RELANCE_NATS_PORT"}
    assert set(re.findall(r"RELANCE_[A-Z_]+", PAGE.read_text(encoding="utf-8"))) <= known
