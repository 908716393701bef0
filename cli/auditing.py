"""What is known against pinned packages: ``uv audit`` over uv.lock, ``npm audit`` over package-lock.json.

Both ask databases on the internet. That one could not be asked is told, and never taken for "nothing is known".
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from cli.places import ROOT

ACCEPTED = ROOT / "deploy" / "accepted-vulnerabilities.yaml"
LONGEST = timedelta(days=180)
"""For no longer is anything accepted."""
CONSOLE = ROOT / "services" / "console"
NPM = (sys.executable, "-P", "-m", "services.console.frontend", "npm")
"""npm, be it this machine's or the one that a wheel brought along."""
MINOR = frozenset({"info", "low"})
"""What npm calls so is told and fails nothing. uv tells no severity: all it knows of a package counts."""
QUARANTINED = "quarantined"
SECONDS = 180


@dataclass(frozen=True, slots=True)
class Finding:
    """Something known against one package."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...] = ()
    severity: str = ""
    link: str = ""
    fixed_in: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        return name == self.id or name in self.aliases

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fixed version is known"
        told = f" ({self.severity})" if self.severity else ""
        return f"{self.package} {self.version}: {self.id}{told}, {remedy} {self.link}".rstrip()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """That one is lived with until a day, the day itself included."""

    id: str
    statement: str
    until: date


class AcceptanceUnclear(Exception):
    """An entry of the file of accepted vulnerabilities cannot be taken as one."""

    def __init__(self, file: Path, number: int, lacking: str) -> None:
        super().__init__(
            f"{file}, entry {number}: {lacking}; an entry is"
            " {id: CVE-…, statement: why it cannot harm, expired_at: YYYY-MM-DD}"
        )


class DatabaseSilent(Exception):
    """A database, or the program that asks it, gave no answer that tells anything."""


@dataclass
class Audit:
    """What was found. ``findings`` count; ``accepted`` and ``minor`` are told."""

    findings: list[Finding] = field(default_factory=list)
    accepted: list[Finding] = field(default_factory=list)
    minor: list[Finding] = field(default_factory=list)
    expired: list[Acceptance] = field(default_factory=list)
    unneeded: list[Acceptance] = field(default_factory=list)
    """Accepted, and not known any more."""
    silent: dict[str, str] = field(default_factory=dict)
    """Database: why it could not be asked."""

    @property
    def is_clean(self) -> bool:
        return not self.findings

    @property
    def is_complete(self) -> bool:
        return not self.silent


def acceptances(file: Path, as_of: date) -> list[Acceptance]:
    """Those of ``file``. Raises ``AcceptanceUnclear``."""
    found = []
    entries = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("vulnerabilities") or []
    for number, entry in enumerate(entries, start=1):
        until, statement = entry.get("expired_at"), str(entry.get("statement") or "").strip()
        if not entry.get("id"):
            raise AcceptanceUnclear(file, number, "no id")
        if not statement:
            raise AcceptanceUnclear(file, number, f"{entry['id']} has no statement")
        if not isinstance(until, date):
            raise AcceptanceUnclear(file, number, f"{entry['id']} has no expired_at that is a day")
        if until > as_of + LONGEST:
            raise AcceptanceUnclear(file, number, f"{entry['id']} is accepted for more than {LONGEST.days} days")
        found.append(Acceptance(str(entry["id"]), statement, until))
    return found


def audit(
    as_of: date,
    *,
    file: Path = ACCEPTED,
    osv: str | None = None,
    databases: Mapping[str, Callable[[], list[Finding]]] | None = None,
) -> Audit:
    """Ask every database. ``osv``: a server that answers as api.osv.dev does. Raises ``AcceptanceUnclear``."""
    told = acceptances(file, as_of)
    valid = [one for one in told if one.until >= as_of]
    found = Audit(expired=[one for one in told if one.until < as_of])
    known: list[Finding] = []
    asked = databases or {"Python packages": lambda: of_python(osv), "npm packages": of_npm}
    for database, ask in asked.items():
        try:
            known += ask()
        except DatabaseSilent as silent:
            found.silent[database] = str(silent)
    for finding in known:
        if any(finding.is_called(one.id) for one in valid):
            found.accepted.append(finding)
        elif finding.severity in MINOR:
            found.minor.append(finding)
        else:
            found.findings.append(finding)
    found.unneeded = [
        one for one in valid if found.is_complete and not any(finding.is_called(one.id) for finding in known)
    ]
    return found


def uv() -> str | None:
    """The uv of this machine, or the one that the script ``relance`` brought along."""
    own = ROOT / ".relance" / "bootstrap" / "bin" / "uv"
    return shutil.which("uv") or (str(own) if own.exists() else None)


def of_python(osv: str | None = None) -> list[Finding]:
    """What is known of all that uv.lock names, tools of developers included. Raises ``DatabaseSilent``."""
    program = uv()
    if program is None:
        raise DatabaseSilent("uv is not installed, which asks the database")
    elsewhere = ("--service-url", osv) if osv else ()
    asking = ("audit", "--preview-features", "audit-command", "--frozen", "--no-cache", "--output-format", "json")
    told = _told([program, *asking, *elsewhere], ROOT, {"UV_HTTP_RETRIES": "1"})
    if "vulnerabilities" not in told:
        raise DatabaseSilent(f"uv audit answered otherwise than it used to: {str(told)[:300]}")
    found = [
        Finding(
            one["dependency"]["name"],
            one["dependency"]["version"],
            one["display_id"],
            (one["id"], *one["aliases"]),
            link=one["link"] or "",
            fixed_in=tuple(one["fix_versions"]),
        )
        for one in told["vulnerabilities"]
    ]
    return found + [
        Finding(one["name"], "", f"{one['status']}: {one['reason'] or 'no reason given'}", (one["status"],))
        for one in told.get("adverse_statuses", [])
        if one["status"] == QUARANTINED
    ]


def of_npm() -> list[Finding]:
    """What is known of all that the console's package-lock.json names. Raises ``DatabaseSilent``."""
    patience = ("--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=30000")
    told = _told([*NPM, "audit", "--json", "--package-lock-only", *patience], CONSOLE, {"PYTHONPATH": str(ROOT)})
    if "vulnerabilities" not in told:
        raise DatabaseSilent(str(told.get("message") or told.get("error") or told)[:300])
    found = [
        Finding(
            advisory["name"],
            advisory["range"],
            advisory["url"].rpartition("/")[2] or str(advisory["source"]),
            (str(advisory["source"]),),
            severity=advisory["severity"],
            link=advisory["url"],
        )
        for one in told["vulnerabilities"].values()
        for advisory in one["via"]
        # a word names another package through which it comes
        if isinstance(advisory, dict)
    ]
    return sorted(set(found), key=lambda one: (one.package, one.id))


def _told(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """The JSON object that a program prints, whatever its exit code. Raises ``DatabaseSilent``."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DatabaseSilent(f"no answer within {SECONDS} seconds") from None
    try:
        told = json.loads(done.stdout)
    except json.JSONDecodeError:
        said = " ".join(done.stderr.partition("error:")[2].split()) or done.stderr.strip()[-300:]
        raise DatabaseSilent(said[:300] or f"it ended with {done.returncode} and no word") from None
    return told if isinstance(told, dict) else {}
