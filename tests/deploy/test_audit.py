"""``relance audit``: what is known against pinned packages, what is accepted for a while, what nobody says."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app_audit import app
from cli.auditing import ACCEPTED, AcceptanceUnclear, Audit, DatabaseSilent, Finding, acceptances, audit, uv
from cli.places import ROOT, SERVICES

DAY = date(2026, 11, 22)
JINJA = Finding("jinja2", "3.1.6", "CVE-2026-1", ("GHSA-aaaa",), fixed_in=("3.1.7",))
TRIX = Finding("trix", "<2.2", "GHSA-bbbb", severity="moderate")
SMALL = Finding("htmx.org", "<3", "GHSA-cccc", severity="low")


def entry(name: str, until: str, statement: str = "nobody can send us that") -> str:
    return f"- {{id: {name}, statement: {json.dumps(statement)}, expired_at: {until}}}"


def accepting(folder: Path, *entries: str) -> Path:
    written = folder / "accepted.yaml"
    written.write_text("vulnerabilities:\n" + "\n".join(f"  {one}" for one in entries), encoding="utf-8")
    return written


def silent() -> list[Finding]:
    raise DatabaseSilent("dns error")


def found(accepted: Path, *known: Finding, as_of: date = DAY, npm: Callable[[], list[Finding]] = list) -> Audit:
    return audit(as_of, file=accepted, databases={"Python packages": lambda: list(known), "npm packages": npm})


def test_whatever_is_known_counts_unless_npm_calls_it_small(tmp_path: Path) -> None:
    told = found(accepting(tmp_path), JINJA, TRIX, SMALL)
    assert told.findings == [JINJA, TRIX]
    assert told.minor == [SMALL]
    assert not told.is_clean


@pytest.mark.parametrize("name", ["CVE-2026-1", "GHSA-aaaa"])
def test_what_is_accepted_by_any_of_its_names_is_told_and_does_not_count(tmp_path: Path, name: str) -> None:
    told = found(accepting(tmp_path, entry(name, "2026-12-31")), JINJA, TRIX)
    assert told.accepted == [JINJA]
    assert told.findings == [TRIX]


@pytest.mark.parametrize(("as_of", "counts"), [(21, False), (22, False), (23, True)])
def test_an_acceptance_holds_until_its_day_and_not_after(tmp_path: Path, as_of: int, counts: bool) -> None:
    told = found(accepting(tmp_path, entry("CVE-2026-1", "2026-11-22")), JINJA, as_of=date(2026, 11, as_of))
    assert (told.findings == [JINJA]) is counts
    assert [one.id for one in told.expired] == (["CVE-2026-1"] if counts else [])


def test_what_is_accepted_and_not_known_any_more_is_to_be_taken_out(tmp_path: Path) -> None:
    accepted = accepting(tmp_path, entry("CVE-2020-9", "2026-12-31"))
    assert [one.id for one in found(accepted, JINJA).unneeded] == ["CVE-2020-9"]
    # whether it is still known cannot be said
    assert found(accepted, JINJA, npm=silent).unneeded == []


def test_a_database_that_is_silent_is_told_and_hides_nothing_of_the_other(tmp_path: Path) -> None:
    told = found(accepting(tmp_path), JINJA, npm=silent)
    assert told.silent == {"npm packages": "dns error"}
    assert told.findings == [JINJA]
    assert not told.is_complete


@pytest.mark.parametrize(
    ("one", "lacking"),
    [
        ("- {statement: harmless, expired_at: 2026-12-31}", "no id"),
        ("- {id: CVE-1, expired_at: 2026-12-31}", "no statement"),
        ("- {id: CVE-1, statement: harmless}", "no expired_at"),
        ("- {id: CVE-1, statement: harmless, expired_at: soon}", "no expired_at"),
        ("- {id: CVE-1, statement: harmless, expired_at: 2027-05-22}", "more than 180 days"),
    ],
)
def test_an_acceptance_has_a_name_a_reason_and_a_near_end(tmp_path: Path, one: str, lacking: str) -> None:
    with pytest.raises(AcceptanceUnclear, match=rf"accepted\.yaml, entry 1: .*{lacking}"):
        found(accepting(tmp_path, one))


def test_what_this_version_accepts_is_well_formed() -> None:
    acceptances(ACCEPTED, DAY)


class Databases(BaseHTTPRequestHandler):
    """Answers as api.osv.dev and the registry of npm do: Jinja and Trix are known to be harmful."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(gzip.decompress(sent) if self.headers["content-encoding"] == "gzip" else sent)
        if self.path == "/v1/querybatch":
            hit = {"vulns": [{"id": "PYSEC-1", "modified": "2026-11-01T00:00:00Z"}]}
            self._say({"results": [hit if one["package"]["name"] == "jinja2" else {} for one in asked["queries"]]})
        elif self.path.endswith("/advisories/bulk"):
            advisory = {
                "id": 7, "url": "https://github.com/advisories/GHSA-bbbb", "title": "Trix runs what is pasted",
                "severity": "high", "vulnerable_versions": "<99", "cwe": [], "cvss": {"score": 8},
            }  # fmt: skip
            self._say({"trix": [advisory]})
        else:
            self.send_error(404)

    def do_GET(self) -> None:
        if self.path == "/v1/vulns/PYSEC-1":
            self._say(
                {
                    "id": "PYSEC-1",
                    "modified": "2026-11-01T00:00:00Z",
                    "aliases": ["CVE-2026-1"],
                    "summary": "Templates read files",
                    "affected": [
                        {
                            "package": {"ecosystem": "PyPI", "name": "jinja2"},
                            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
                        }
                    ],
                }
            )
        else:
            self.send_error(404)

    def _say(self, told: object) -> None:
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def databases() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Databases)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def command(*arguments: str, registry: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "npm_config_registry": registry, "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "audit", "--osv", registry, "--json", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.skipif(uv() is None, reason="uv is not installed here")
def test_uv_and_npm_are_asked_and_what_they_know_fails_the_command(databases: str) -> None:
    done = command(registry=databases)
    told = json.loads(done.stdout)
    assert told["silent"] == {}, done.stderr
    assert {one["package"]: (one["id"], one["severity"]) for one in told["findings"]} == {
        "jinja2": ("PYSEC-1", ""),
        "trix": ("GHSA-bbbb", "high"),
    }
    assert "CVE-2026-1" in told["findings"][0]["aliases"]
    assert told["findings"][0]["fixed_in"] == ["99.1"]
    assert done.returncode == 1


def test_where_nobody_answers_a_release_fails_and_says_why() -> None:
    done = command("--release", registry="http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.count("WARNING: nothing is known of") == 2


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--release"], 1)])
def test_elsewhere_it_is_a_warning(monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int) -> None:
    answered = Audit(silent={"npm packages": "dns error"})
    monkeypatch.setattr("cli.auditing.audit", lambda *_, **__: answered)
    done = CliRunner().invoke(app, ["audit", *arguments])
    assert done.exit_code == code
    assert "WARNING: nothing is known of npm packages" in done.output


def scanning(folder: Path, *arguments: str, code: int | None) -> subprocess.CompletedProcess[str]:
    """deploy/scan-images.sh with a trivy that ends so, or with none."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("sh", "dirname", "tr", "mkdir"):
        (programs / name).symlink_to(shutil.which(name) or name)
    if code is not None:
        told = folder / "told"
        (programs / "trivy").write_text(
            f'#!/bin/sh\necho "$@" >>{told}\ncase "$*" in *cyclonedx*) ;; *) exit {code};; esac\n'
        )
        (programs / "trivy").chmod(0o755)
    return subprocess.run(
        [str(ROOT / "deploy/scan-images.sh"), *arguments],
        env={"PATH": str(programs), "RELANCE_VERSION": "1.0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_images_cannot_be_called_clean_where_nothing_looked(tmp_path: Path) -> None:
    done = scanning(tmp_path, code=None)
    assert done.returncode == 2
    assert "trivy is not installed" in done.stderr


@pytest.mark.parametrize(("trivy", "code"), [(0, 0), (10, 1), (1, 2)])
def test_every_image_is_scanned_and_what_is_known_fails(tmp_path: Path, trivy: int, code: int) -> None:
    done = scanning(tmp_path, "--sbom", str(tmp_path / "parts"), code=trivy)
    assert done.returncode == code, done.stderr
    asked = (tmp_path / "told").read_text().splitlines()
    scans = [line for line in asked if "vuln" in line]
    # one that cannot be had ends it: the others would say nothing of it
    assert len(scans) == (len(SERVICES) + 1 if trivy != 1 else 1)
    assert all(f"--ignorefile {ACCEPTED}" in line for line in scans)
    assert scans[0].endswith(f"relance-{SERVICES[0]}:1.0")
