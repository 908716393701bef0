"""An export is an open format: what somebody wrote into one is judged as our doors judge what people enter."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from chassis.judging import MOST_TOLD, Fault, Row, judge_command
from chassis.service import Service
from cli.company.bundle import opened, written
from cli.company.inventory import Column, Table
from cli.company.judging import RowsRefused, _not_handed_on, _of_doors
from services.notify.main import build as notify
from services.notify.settings import NotifySettings
from services.sync.main import build as sync
from services.sync.settings import SyncSettings

TEMPLATE: dict[str, Any] = {
    "company": "acme", "name": "R1", "medium": "email", "language": "fr", "kind": "reminder", "level": 1,
    "title": "", "subject": "Relance", "body": "<p>Bonjour <strong>%client_name%</strong></p>", "form": "html",
    "version": 2, "changed_by": "zoe", "changed_at": "2026-11-01T10:00:00+00:00",
}  # fmt: skip
VERSION = TEMPLATE | {"gone": False}
SERVER: dict[str, Any] = {
    "company": "acme", "host": "93.184.215.14", "port": 587, "encryption": "starttls", "username": "",
    "connections": 4, "password": None, "per_second": 0.0, "per_second_and_domain": 0.0, "changed_by": "zoe",
}  # fmt: skip
MAILBOX: dict[str, Any] = {
    "company": "acme", "host": "93.184.215.14", "port": 993, "encryption": "tls", "username": "box",
    "password": None, "folder": "INBOX", "after": "move", "away": "Relance", "tagged": False,
}  # fmt: skip
AUTHORIZATION: dict[str, Any] = {
    "company": "acme", "provider": "other", "way": "application", "tenant": "", "client_id": "app", "secret": None,
    "secret_kind": "certificate", "authorize_url": "", "token_url": "https://93.184.215.14/token",
    "revoke_url": "", "scope": "https://mail.example/", "hosts": ["mail.example.org"],
    "refresh_token": None, "pending": None,
}  # fmt: skip
MICROSOFT = AUTHORIZATION | {"provider": "microsoft", "tenant": "acme.example", "token_url": "", "hosts": []}
SENDER: dict[str, Any] = {"company": "acme", "body": {"name": "ACME", "payment_url": "https://pay.example.org"}}
DRAFT: dict[str, Any] = {
    "company": "acme", "subject": "Votre compte", "body": "<p>Bonjour</p>", "form": "html", "files": None,
    "recipients": ["zoe@example.org"], "copies": [], "reply_to": None, "sender_name": None, "address": None,
}  # fmt: skip
SFTP = {"kind": "sftp", "host": "93.184.215.14", "user": "u", "host_key": "ssh-ed25519 AAAA", "secret": "files"}
INLET: dict[str, Any] = {"company": "acme", "name": "files", "inlet": {"place": SFTP, "pattern": "*.csv"}}
CONNECTOR: dict[str, Any] = {
    "company": "acme", "name": "sage", "kind": "sage100", "source": "sage100/BIJOU", "place": "agent",
    "options": {},
}  # fmt: skip
SLOT: dict[str, Any] = {"company": "acme", "inlet": "files", "connector": None, "cron": "30 6 * * 1-5"}


def of_inlet(**more: Any) -> dict[str, Any]:
    return INLET | {"inlet": {"place": SFTP | more}}


def judged(service: Service, table: str, row: dict[str, Any]) -> list[str]:
    """Which columns are wrong, by the command that the import runs."""
    told = StringIO()
    line = json.dumps({"table": table, "line": 7, "row": row}) + "\n"
    code = judge_command(service, [line.encode()], told)
    ready, *faults = map(json.loads, told.getvalue().splitlines())
    assert table in ready["tables"]
    assert code == int(bool(faults))
    assert {(one["table"], one["line"]) for one in faults} <= {(table, 7)}
    return [one["column"] for one in faults]


@pytest.mark.parametrize(
    ("table", "row"),
    [("template", TEMPLATE), ("template_version", VERSION), ("mail_server", SERVER), ("mailbox_account", MAILBOX),
     ("mail_server", SERVER | {"sign_in": "oauth", "username": "box"}), ("mail_authorization", AUTHORIZATION),
     ("mail_authorization", MICROSOFT), ("sender", SENDER), ("draft", DRAFT)],
)  # fmt: skip
def test_what_people_entered_at_notify_passes(table: str, row: dict[str, Any]) -> None:
    assert judged(notify(NotifySettings()), table, row) == []


@pytest.mark.parametrize(
    ("table", "row", "columns"),
    [
        ("template", TEMPLATE | {"body": "<p>Bonjour</p><script>steal()</script>"}, ["body"]),
        ("template", TEMPLATE | {"body": '<p onclick="steal()">Bonjour</p>'}, ["body"]),
        ("template", TEMPLATE | {"body": '<p><a href="javascript:steal()">Bonjour</a></p>'}, ["body"]),
        ("template", TEMPLATE | {"body": "<p>%no_such_tag%</p>"}, ["body"]),
        ("template", TEMPLATE | {"name": "../R1"}, ["name"]),
        ("template_version", VERSION | {"body": "<iframe src='https://evil.example'></iframe>"}, ["body"]),
        ("mail_server", SERVER | {"host": "10.0.0.5"}, ["host"]),
        ("mail_server", SERVER | {"host": "mail.example.org\r\nX"}, ["host"]),
        ("mailbox_account", MAILBOX | {"host": "169.254.169.254"}, ["host"]),
        ("mail_server", SERVER | {"sign_in": "oauth", "encryption": "none"}, ["encryption", "username"]),
        ("mailbox_account", MAILBOX | {"sign_in": "token"}, ["sign_in"]),
        ("mail_authorization", AUTHORIZATION | {"token_url": "http://93.184.215.14/token"}, ["token_url"]),
        ("mail_authorization", AUTHORIZATION | {"token_url": "https://10.0.0.5/token"}, ["token_url"]),
        ("mail_authorization", AUTHORIZATION | {"way": "other"}, ["way"]),
        ("mail_authorization", AUTHORIZATION | {"provider": "google"}, ["way"]),
        ("mail_authorization", MICROSOFT | {"tenant": "evil.example/x?"}, ["tenant"]),
        ("sender", {"company": "acme", "body": {"payment_url": "javascript:steal()"}}, ["body.payment_url"]),
        ("sender", {"company": "acme", "body": {"name": "ACME\r\nBcc: x@y.example"}}, ["body.name"]),
        ("draft", DRAFT | {"recipients": ["a@b.example\r\nBcc: x@y.example"]}, ["recipients, copies, reply_to"]),
        ("draft", DRAFT | {"body": "<p>Bonjour<img src=x onerror=steal()></p>"}, ["body"]),
        ("copy_address", {"email": "no address", "name": "", "user_id": None}, ["email"]),
        ("logo", {"media_type": "text/html"}, ["media_type"]),
        ("attachment", {"media_type": "text/html\r\nX: y"}, ["media_type"]),
        ("payment", {"url": "javascript:steal()"}, ["url"]),
        ("sender", {"company": "acme", "body": None}, [""]),
    ],
)  # fmt: skip
def test_what_no_door_of_notify_lets_in_is_refused(table: str, row: dict[str, Any], columns: list[str]) -> None:
    assert judged(notify(NotifySettings()), table, row) == columns


@pytest.mark.parametrize(("table", "row"), [("inlet", INLET), ("connector", CONNECTOR), ("slot", SLOT)])
def test_what_people_entered_at_sync_passes(table: str, row: dict[str, Any]) -> None:
    assert judged(sync(SyncSettings()), table, row) == []


@pytest.mark.parametrize(
    ("table", "row", "columns"),
    [
        ("inlet", of_inlet(host="192.168.1.9"), ["inlet.place.host"]),
        ("inlet", of_inlet(secret="../other/files"), ["inlet.place.sftp.secret"]),
        ("inlet", INLET | {"inlet": {"place": {"kind": "folder", "folder": "../neighbour"}}},
         ["inlet.place.folder.folder"]),
        ("inlet", INLET | {"name": "../x"}, ["name"]),
        ("connector", CONNECTOR | {"options": {"statement": "drop table"}}, ["options.statement"]),
        ("connector", CONNECTOR | {"source": "other/BIJOU"}, ["source", "kind"]),
        ("slot", SLOT | {"cron": "99 * * * *"}, ["cron"]),
    ],
)  # fmt: skip
def test_what_no_door_of_sync_lets_in_is_refused(table: str, row: dict[str, Any], columns: list[str]) -> None:
    assert judged(sync(SyncSettings()), table, row) == columns


def test_a_network_that_the_operator_opened_is_open_for_an_import() -> None:
    opened_here = NotifySettings(mail_networks="10.0.0.0/8")
    assert judged(notify(opened_here), "mail_server", SERVER | {"host": "10.0.0.5"}) == []
    assert judged(sync(SyncSettings(inlet_networks="192.168.0.0/16")), "inlet", of_inlet(host="192.168.1.9")) == []


def test_what_no_export_tells_is_not_taken_in(tmp_path: Path) -> None:
    """Secrets, webhooks with an address of somebody's choice, tables that are nobody's."""
    with written(tmp_path / "crafted.zip") as bundle:
        for table in ("reporting/webhook", "notify/mail_server", "notify/no_such"):
            with bundle.lines(f"rows/{table}.jsonl") as lines:
                lines.write(json.dumps({"company": "acme", "password": None}))
                lines.write(json.dumps({"company": "acme", "password": "\\x00"}))
        none: dict[str, Any] = {"rows": {}, "events": {}, "left_out": [], "archive": None}
        bundle.manifest({"company": "acme", "schemas": {}, "derivations": {}, **none})
    password = Column("password", is_content=False, is_secret=True, is_nullable=True)
    known = {
        f"rows/{table.schema}/{table.name}.jsonl": table
        for table in (Table("reporting", "webhook", (), ()), Table("notify", "mail_server", (password,), ()))
    }
    with opened(tmp_path / "crafted.zip") as crafted:
        assert list(_not_handed_on(crafted, known)) == [
            "rows/notify/mail_server.jsonl, line 2, column password: no export tells a secret",
            "rows/notify/no_such.jsonl: no company has such rows",
            "rows/reporting/webhook.jsonl: reporting.webhook is never handed on (its secret is not handed on:"
            " add it again)",
        ]


def crafted(path: Path, **files: bytes) -> Path:
    """An export that somebody wrote, of one line per table of notify."""
    with written(path) as bundle:
        for table, line in files.items():
            with bundle.lines(f"rows/notify/{table}.jsonl") as lines:
                lines.write(line.decode())
        none: dict[str, Any] = {"rows": {}, "events": {}, "left_out": [], "archive": None}
        bundle.manifest({"company": "acme", "schemas": {}, "derivations": {}, **none})
    return path


def test_a_row_is_judged_however_its_json_is_laid_out(tmp_path: Path) -> None:
    """A carriage return is white space to JSON and to PostgreSQL, and ends no row."""
    inside = json.dumps(SERVER | {"host": "10.0.0.5"}).replace(", ", ",\r")
    with opened(crafted(tmp_path / "crafted.zip", mail_server=inside.encode())) as bundle:
        (told,) = _of_doors(bundle)
    assert told.startswith("rows/notify/mail_server.jsonl, line 1, column host: 10.0.0.5 is not on the public")


def test_what_makes_a_judge_break_down_is_not_taken_in(tmp_path: Path) -> None:
    """It ends with the same code as one that found something, and told nothing."""
    with (
        opened(crafted(tmp_path / "crafted.zip", mail_server=b"no JSON at all")) as bundle,
        pytest.raises(RowsRefused, match="notify ended with code 1 while it judged"),
    ):
        list(_of_doors(bundle))


@pytest.mark.parametrize("port", ["587", None, 10**9])
def test_a_host_of_the_inside_is_refused_whatever_its_port_is_written_as(port: object) -> None:
    assert "host" in judged(notify(NotifySettings()), "mail_server", SERVER | {"host": "10.0.0.5", "port": port})


def test_a_row_over_which_a_judge_stumbles_is_refused() -> None:
    def stumbling(row: Row) -> Iterator[Fault]:
        raise OverflowError(row["host"])

    service = Service(name="notify", settings=NotifySettings(), judged={"mail_server": stumbling})
    assert judged(service, "mail_server", SERVER) == [""]


def test_of_a_row_with_many_faults_some_are_told_each_by_its_beginning(tmp_path: Path) -> None:
    """The row is longer than a pipe, and so would be all that is wrong with it."""
    name = "x" * 9_000
    draft = json.dumps(DRAFT | {"files": [{"name": name, name: "y"}] * 50}).encode()
    with opened(crafted(tmp_path / "crafted.zip", draft=draft, mail_server=b"{}")) as bundle:
        told = list(_of_doors(bundle))
    assert len(told) == MOST_TOLD
    assert max(map(len, told)) < 1_000
