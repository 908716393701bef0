"""An export is judged before anything of it is taken in; what is told of a deletion."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cli.app_company import certificate_files
from cli.company.bundle import BundleUnreadable, opened, written
from cli.company.deleting import forget_in_logs
from cli.company.offboarding import years_after
from cli.company.verifying import verify
from services.notify.archive.chain import (
    BEGINNING,
    CONTENT_EXPIRED,
    PERSON_EXPIRED,
    SALT_BYTES,
    Fact,
    seal_all,
)


def export_of(company: str, to: Path, *rows: dict[str, object]) -> Path:
    """An export that is whole: digests and counts agree with what is in it."""
    with written(to) as bundle:
        with bundle.lines("rows/console/membership.jsonl") as lines:
            for row in rows:
                lines.write(json.dumps(row))
        with bundle.lines("rows/console/account.jsonl") as people:
            people.write(json.dumps({"email": "zoe@example.org"}))
        told = {"events": {}, "left_out": [], "archive": None, "schemas": {}, "derivations": {}}
        bundle.manifest({"company": company, "rows": {"console.membership": len(rows)}, **told})
    return to


def wrong(export: Path) -> list[str]:
    with opened(export) as bundle:
        return verify(bundle).wrong


def test_rows_of_the_company_are_taken_in(tmp_path: Path) -> None:
    assert wrong(export_of("acme", tmp_path / "acme.zip", {"company": "acme", "role": "admin"})) == []


def test_rows_of_another_company_are_not(tmp_path: Path) -> None:
    """Its makers would be at home in the other's books."""
    mine, other = {"company": "acme", "role": "admin"}, {"company": "neighbour", "role": "admin"}
    assert wrong(export_of("acme", tmp_path / "acme.zip", mine, other, {"role": "admin"})) == [
        "rows/console/membership.jsonl, line 2: it is of company neighbour",
        "rows/console/membership.jsonl, line 3: it is of company None",
    ]


def test_no_other_file_of_the_machine_is_taken_for_a_content(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of somebody else")
    with opened(export_of("acme", tmp_path / "acme")) as bundle, pytest.raises(BundleUnreadable, match="does not"):
        bundle.content("../../secret")


@pytest.mark.parametrize("company", ["acme.>", "--removed--", "", "Acme", "a" * 33])
def test_what_no_company_can_be_called_is_refused(tmp_path: Path, company: str) -> None:
    """It would be part of subjects, and every service would stop at it."""
    assert wrong(export_of(company, tmp_path / "some.zip")) == [f"{company!r} is no company's slug"]


ABOUT_RELAY = (
    {"service": "ledger", "message": "a day began", "company": "relay"},
    {"service": "ledger", "message": "request", "path": "/companies/relay/clients"},
    {"service": "reporting", "message": "places made again", "user": "crm@relay", "streams": ["EVT_LEDGER_G1"]},
    {"service": "notify", "message": "tried again", "error": {"text": "evt.notify.relay.p07.EmailSent is full"}},
    {"service": "sync", "message": "rounds", "companies": ["acme", "relay"]},
    {"service": "notify", "message": "hindered", "part": "mail server of relay"},
)
ABOUT_OTHERS = (
    {"service": "ledger", "message": "the relay stopped", "part": "relay"},
    {"service": "ledger", "message": "a day began", "company": "acme", "part": "relay"},
    {"service": "ledger", "message": "request", "path": "/companies/relay-2/clients", "logger": "chassis.relay"},
    {"service": "reporting", "message": "places made again", "user": "relay@acme"},
    {"service": "ledger", "message": "days began", "companies": 3},
)


def test_of_logs_only_lines_about_the_company_go(tmp_path: Path) -> None:
    """A slug may be an ordinary word: lines in which it is one stay."""
    server = [
        "2026-11-22 10:00:00 UTC DETAIL:  Key (company, client_id)=(relay, C1) already exists.",
        "2026-11-22 10:00:00 UTC LOG:  the relay waits",
    ]
    written_lines = [json.dumps(one) for one in (*ABOUT_RELAY, *ABOUT_OTHERS)] + server
    (tmp_path / "ledger.log").write_text("\n".join(written_lines) + "\n", encoding="utf-8")
    assert forget_in_logs(tmp_path, "relay") == {"ledger.log": len(ABOUT_RELAY) + 1}
    stayed = (tmp_path / "ledger.log").read_text(encoding="utf-8").splitlines()
    assert stayed == [*map(json.dumps, ABOUT_OTHERS), server[1]]
    assert forget_in_logs(tmp_path, "relay") == {}


@pytest.mark.parametrize(
    ("day", "until"),
    [
        (date(2026, 11, 22), date(2036, 11, 22)),
        (date(2026, 12, 31), date(2036, 12, 31)),
        (date(2028, 2, 29), date(2038, 3, 1)),
    ],
)
def test_what_the_law_keeps_is_kept_for_ten_whole_years(day: date, until: date) -> None:
    """Rule 19.9."""
    assert years_after(day, 10) == until


def archived(to: Path, *facts: Fact) -> Path:
    """An export of an archive with these records, whose contents and persons are gone."""
    records = seal_all("acme", (0, BEGINNING), facts, [bytes([n]) * SALT_BYTES for n in range(len(facts))])
    with written(to) as bundle:
        with bundle.lines("rows/notify/archive.jsonl") as lines:
            for one in records:
                row = {name: getattr(one, name) for name in ("company", "n", "kind", "client_id", "body", "hash")}
                lines.write(json.dumps({**row, "action_id": one.action_id and str(one.action_id)}))
        head = {"records": records[-1].n, "hash": records[-1].hash}
        told = {"events": {}, "left_out": [], "archive": head, "schemas": {}, "derivations": {}}
        bundle.manifest({"company": "acme", "rows": {"notify.archive": len(records)}, **told})
    return to


def sealed(kind: str, action_id: UUID | None = None, **more: Any) -> Fact:
    return Fact(kind, "C1", datetime(2025, 3, 18, tzinfo=UTC), date(2025, 3, 18), "test", action_id, **more)


def test_what_had_its_time_is_not_missed(tmp_path: Path) -> None:
    """Rule 19.9: that it went is sealed itself."""
    action = UUID(int=7)
    sent = sealed("email_sent", action, content={"sha256": "ab", "bytes": 1}, person={"to": "zoe@example.org"})
    ends = [sealed(CONTENT_EXPIRED, action), sealed(PERSON_EXPIRED, facts={"until": 1})]
    assert wrong(archived(tmp_path / "old.zip", sent, *ends)) == []
    assert wrong(archived(tmp_path / "harmed.zip", sent, ends[0])) == [
        "archive, record 1: what it tells of a person is missing"
    ]
    assert wrong(archived(tmp_path / "emptied.zip", sent, sealed(CONTENT_EXPIRED, UUID(int=8)), ends[1])) == [
        "archive, record 1: what was sent is missing"
    ]


@pytest.mark.parametrize(
    ("named", "files"),
    [
        ("gone", ["gone.json", "gone.txt", "gone.lost.jsonl"]),
        ("acme.2026.11", ["acme.2026.11.json", "acme.2026.11.txt", "acme.2026.11.lost.jsonl"]),
        ("acme.sas.json", ["acme.sas.json", "acme.sas.txt", "acme.sas.lost.jsonl"]),
        ("acme.txt", ["acme.json", "acme.txt", "acme.lost.jsonl"]),
    ],
)
def test_a_certificate_keeps_the_name_that_was_given(named: str, files: list[str]) -> None:
    assert [one.name for one in certificate_files(Path("out") / named)] == files
