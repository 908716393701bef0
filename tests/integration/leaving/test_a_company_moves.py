"""A company is handed out, deleted, and taken in again: the same books, nothing sent, its neighbour untouched."""

import asyncio
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

import cli.app_company  # noqa: F401 - adds its commands
from chassis.rebuild import Rebuild, Report
from cli.app import app
from cli.calling import RoadBlocked
from cli.company import asked, importing, offboarding
from cli.company.asked import make_asked
from cli.company.bundle import Bundle, opened
from cli.company.comparing import differences
from cli.company.deleting import StillThere
from cli.company.exporting import export
from cli.company.inventory import HEARS, LOG, CompanyMissing, rows_of, tables
from cli.company.judging import RowsRefused
from cli.company.verifying import BundleBroken, verify
from cli.main_job import import_file
from cli.road import Road
from cli.trial import Trial
from contracts.registry import EVENTS
from contracts.subjects import SPEAKERS, partition_of
from tests.integration.leaving.wiring import wired
from tests.integration.personal.test_erasure import (
    CLIENT,
    DAY,
    MARKS,
    enter_by_every_door,
    everything_kept,
    written,
)
from tests.waiting import asked_until

COMPANY, NEIGHBOUR = "zq-leaving", "staying"
SERVER = {"host": "mail.zq.example", "port": 2525, "username": "zq", "password": "ZQ-SECRET"}
BOOK = [
    ("VE", "F1", "411", "4110077", "Voisin", "Travaux", "800,00", "0,00"),
    ("VE", "F1", "706", "", "", "Travaux", "0,00", "800,00"),
]


def neighbour(trial: Trial, folder: Path) -> Road:
    road = trial.road(NEIGHBOUR, DAY)
    road.register("Staying")
    imported = import_file(road, written(folder, BOOK), None)
    road.wait_until_ledger_heard({name: dict(heard) for name, heard in imported["positions"].items()})
    road.round(DAY, imported["positions"])
    road.tell("add-note", client_id="4110077", text="Rappeler lundi")
    return road


def kept_of(trial: Trial, company: str) -> dict[str, list[str]]:
    """Every row of a company, its events included, as PostgreSQL writes them."""
    with psycopg.connect(trial.dsn) as connection:
        places = [table.place for table in tables(connection)] + [(speaker, LOG) for speaker in SPEAKERS]
        return {
            ".".join(place): [
                row
                for (row,) in connection.execute(
                    sql.SQL("select t::text from {} t where company = %s order by 1").format(
                        sql.Identifier(*place)
                    ),
                    [company],
                )
            ]
            for place in places
        }


async def replayed(trial: Trial, service: str) -> Report:
    """Its tables against those that the events give."""
    servers = trial.stack.embedded
    owner, bus = servers.database_url(service, "owner"), servers.nats_url(service)
    return await Rebuild(service, f"services.{service}", wired(service), EVENTS, owner, bus).run()


def exported(trial: Trial, company: str, to: Path) -> Path:
    export(trial.dsn, company, to, by="olivia")
    return to


@pytest.fixture(scope="module")
def left(trial: Trial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a company that did everything a company does, beside a neighbour."""
    folder = tmp_path_factory.mktemp("books")
    road = trial.road(COMPANY, DAY)
    enter_by_every_door(road, trial, folder, COMPANY)
    road.set_policy({"automatic_from": f"{date(2027, 1, 1)}"})
    road.ask_of("notify", "PUT", "/mail-server", json=SERVER)
    road.ask_of("reporting", "POST", "/subscribers", json={"name": "crm", "events": ["*"]})
    road.ask_of("reporting", "POST", "/webhooks", json={"url": "https://hooks.example.org/zq", "events": ["*"]})
    road.close()
    neighbour(trial, folder).close()
    return exported(trial, COMPANY, folder / "left.zip")


def test_an_export_is_whole_and_holds_no_secret(left: Path, trial: Trial) -> None:
    with opened(left) as bundle:
        found = verify(bundle)
        told = bundle.manifest
        everything = b"".join(bundle.place.open(name).read() for name in bundle.names())
    assert found.wrong == []
    assert found.unknown_types == set()
    assert found.archive_records == told["archive"]["records"] > 2
    assert found.files >= 2, "the mail and the letter as they left, the invoice"
    assert b"Zebulon Quatrepoint" in everything, "people are handed out"
    assert b"ZQ-SECRET" not in everything
    assert {"what": "notify.mail_server: password", "names": ["mail.zq.example"]}.items() <= next(
        one for one in told["left_out"] if "mail_server" in one["what"]
    ).items()
    assert {"crm", "https://hooks.example.org/zq"} <= {
        name for one in told["left_out"] for name in one.get("names", ())
    }, "what is to be made again is named"
    with pytest.raises(CompanyMissing, match="there are"):
        export(trial.dsn, "nobody", left.with_name("nobody.zip"), by="olivia")


def test_what_an_administrator_asks_for_is_made_by_an_operator_and_is_found_in_parts(
    left: Path, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "PART_BYTES", 5000)
    parts = "select content from console.company_export_part where company = %s order by part"
    with psycopg.connect(trial.dsn, autocommit=True) as connection:
        connection.execute("insert into console.company_export (company) values (%s)", [NEIGHBOUR])
        (large,) = make_asked(trial.dsn, most_bytes=10, wait_seconds=60)
        assert "more than 10" in str(large.told)
        connection.execute("update console.company_export set status = 'asked' where company = %s", [NEIGHBOUR])
        (made,) = make_asked(trial.dsn, most_bytes=10**9, wait_seconds=60)
        assert (made.company, made.told) == (NEIGHBOUR, None)
        content = b"".join(row[0] for row in connection.execute(parts, [NEIGHBOUR]))
        assert len(content) == made.bytes > 10_000
        file = left.with_name("asked.zip")
        file.write_bytes(content)
        with opened(file) as bundle:
            assert verify(bundle).wrong == []
        assert make_asked(trial.dsn, most_bytes=10**9, wait_seconds=60) == [], "nothing is asked for any more"
        connection.execute("update console.company_export set until = now() - interval '1 day'")
        make_asked(trial.dsn, most_bytes=10**9, wait_seconds=60)
        assert connection.execute(parts, [NEIGHBOUR]).fetchall() == []
        connection.execute("delete from console.company_export")


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda name, was: was.replace(b"1200", b"1300") if name.startswith("rows/ledger/entry.") else was,
         "rows/ledger/entry.jsonl is not what was written"),
        (lambda name, was: None if name.startswith("events/ledger") else was, "is missing"),
        (lambda name, was: was.replace(b'"records": ', b'"records": 9') if name == "manifest.json" else was,
         "archive: it ends with record"),
    ],
)  # fmt: skip
def test_an_export_that_was_changed_is_refused(
    left: Path, trial: Trial, tmp_path: Path, harm: Callable[[str, bytes], bytes | None], named: str
) -> None:
    harmed = tmp_path / "harmed.zip"
    with zipfile.ZipFile(left) as source, zipfile.ZipFile(harmed, "w") as target:
        for name in source.namelist():
            if (content := harm(name, source.read(name))) is not None:
                target.writestr(name, content)
    with opened(harmed) as bundle, pytest.raises(BundleBroken, match=named):
        importing.take_in(trial.dsn, bundle)


def test_it_goes_without_a_trace_and_comes_back(
    left: Path, trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brought to rest, kept, brought to rest again, deleted; then taken in: the same books, nothing sent."""
    road = trial.road(COMPANY, DAY)
    _rest_and_keep(road, trial, tmp_path)
    last = tmp_path / "last.zip"
    relance(trial, "offboard", COMPANY, "--to", f"{last}", "--by", "olivia", "--days", "0")
    stayed, mails = kept_of(trial, NEIGHBOUR), trial.sink.counts()["count"]
    with opened(last) as bundle, opened(left) as older:
        _delete(trial, bundle, older, tmp_path / "gone")
        assert kept_of(trial, NEIGHBOUR) == stayed, "the neighbour is what it was, byte for byte"
        _start(trial)
        assert everything_kept(trial, (*MARKS, COMPANY, "ZQ-SECRET")) == []
        with pytest.raises(RoadBlocked):
            road.statement(CLIENT)

    trial.stack.stop_services()
    _crafted(trial, last, tmp_path / "crafted")
    _interrupted(trial, last, monkeypatch)
    _of_another_projection(trial, last)
    assert json.loads(relance(trial, "import", f"{last}", "--json"))["automatic_switched_off"]
    _start(trial)
    _same_books(trial, road, last, exported(trial, COMPANY, tmp_path / "back.zip"))
    assert trial.sink.counts()["count"] == mails, "nothing was sent"
    assert kept_of(trial, NEIGHBOUR) == stayed
    road.close()


def relance(trial: Trial, *words: str, fails: bool = False) -> str:
    """``relance company …``, in the trial's data directory; what it printed."""
    where = [] if words[0] in {"verify", "compare"} else ["--data", f"{trial.stack.data_dir}"]
    done = CliRunner().invoke(app, ["company", *words, *where])
    assert done.exit_code == int(fails), done.output
    return done.output if fails else done.stdout


def _rest_and_keep(road: Road, trial: Trial, folder: Path) -> None:
    early = folder / "early.zip"
    relance(trial, "offboard", COMPANY, "--to", f"{early}", "--by", "olivia", "--days", "30")
    others = [road.ask("reporting", path)[path[1:]] for path in ("/subscribers", "/webhooks")]
    assert others == [[], []], "other systems hear nothing more"
    assert asked_until(lambda told: told is None, lambda: _unless_held(road), within=10) is None, "nothing changes"
    assert road.statement(CLIENT)[0]["debit"].startswith("1200"), "what is kept can be read"
    assert COMPANY in relance(trial, "leaving")
    assert "may be kept until" in relance(
        trial, "delete", f"{early}", "--by", "o", "--yes", "--certificate", f"{folder / 'no'}", fails=True
    )
    relance(trial, "keep", COMPANY)
    assert asked_until(lambda told: told is not None, lambda: _unless_held(road), within=10), "kept: it goes on"


def _delete(trial: Trial, bundle: Bundle, older: Bundle, certificate: Path) -> None:
    words = ["--by", "olivia", "--yes", "--certificate", f"{certificate}"]
    assert "stop the services first" in relance(trial, "delete", f"{bundle.path}", *words, fails=True)
    trial.stack.stop_services()
    assert "relance company offboard zq-leaving" in relance(trial, "import", f"{bundle.path}", fails=True)
    assert "is not the last export" in relance(trial, "delete", f"{older.path}", *words, fails=True)
    with psycopg.connect(trial.dsn, autocommit=True) as connection:
        connection.execute("create schema ledger_before")
        # its rows would stay in tables that a rebuild has put aside
        assert "relance rebuild drop ledger" in relance(trial, "delete", f"{bundle.path}", *words, fails=True)
        connection.execute("drop schema ledger_before")

    def power_cut(*_: object) -> None:
        assert certificate.with_suffix(".txt").exists(), "nobody could write it any more"
        raise StillThere(COMPANY, ["nothing"])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(offboarding, "release", power_cut)
        relance(trial, "delete", f"{bundle.path}", *words, fails=True)
    assert COMPANY in relance(trial, "leaving"), "it can be ended"
    for suffix in (".json", ".txt"):
        shutil.move(certificate.with_suffix(suffix), certificate.with_name(f"half{suffix}"))
    relance(trial, "delete", f"{bundle.path}", *words)
    done = json.loads(certificate.with_name("half.json").read_text(encoding="utf-8"))
    assert not certificate.with_suffix(".lost.jsonl").exists(), "the streams knew nothing that the logs did not"
    assert done["deleted"]["events"].keys() >= {"sync", "ledger", "dunning", "notify"}
    assert done["handed_out"]["legal_archive"] == bundle.manifest["archive"]
    assert f"Deleted on {done['deleted']['at']} by olivia." in certificate.with_name("half.txt").read_text("utf-8")
    assert json.loads(certificate.with_suffix(".json").read_text(encoding="utf-8"))["deleted"]["events"] == {}


def _crafted(trial: Trial, file: Path, to: Path) -> None:
    """Who writes an export of their own brings no text, no address and no work that no door would have let in."""
    with zipfile.ZipFile(file) as source:
        source.extractall(to)
    told = json.loads((to / "manifest.json").read_text(encoding="utf-8"))

    def put(name: str, *rows: dict[str, object]) -> None:
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        (to / name).write_bytes(content)
        told["files"][name] = {
            "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "lines": len(rows),
        }  # fmt: skip
        _, schema, table = name.removesuffix(".jsonl").split("/")
        told["rows"][f"{schema}.{table}"] = len(rows)
        (to / "manifest.json").write_text(json.dumps(told), encoding="utf-8")

    def lines(name: str) -> list[dict[str, object]]:
        return [json.loads(line) for line in (to / name).read_text(encoding="utf-8").splitlines()]

    jobs = lines("rows/notify/job.jsonl")
    put("rows/notify/job.jsonl", *jobs, jobs[0] | {"status": "ready"})
    with opened(to) as bundle, pytest.MonkeyPatch.context() as patched:
        patched.setattr(importing, "refuse_unfit", lambda *_: None)
        with pytest.raises(RowsRefused, match=f"rows/notify/job.jsonl, line {len(jobs) + 1}: it holds work"):
            importing.take_in(trial.dsn, bundle)
    put("rows/notify/mail_server.jsonl", lines("rows/notify/mail_server.jsonl")[0] | {"host": "127.0.0.1"})
    put("rows/reporting/webhook.jsonl", {"company": COMPANY, "url": "http://10.0.0.5/"})
    refused = relance(trial, "import", f"{to}", fails=True)
    assert "rows/notify/mail_server.jsonl, line 1, column host: 127.0.0.1 is not on the public internet" in refused
    assert "rows/reporting/webhook.jsonl: reporting.webhook is never handed on" in refused
    with psycopg.connect(trial.dsn) as connection:
        assert rows_of(connection, COMPANY) == {}


def _interrupted(trial: Trial, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that ends half way has not begun."""

    class PowerCut(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patched, opened(file) as bundle:
        patched.setattr(importing, "_accounts", cut)
        patched.setattr(importing, "refuse_unfit", lambda *_: None)  # the import that follows is judged
        with pytest.raises(PowerCut):
            importing.take_in(trial.dsn, bundle)
    with psycopg.connect(trial.dsn) as connection:
        assert rows_of(connection, COMPANY) == {}


def _of_another_projection(trial: Trial, file: Path) -> None:
    """Rows that another version of a projection made are not mixed with those that are there."""
    with psycopg.connect(trial.dsn, autocommit=True) as connection:
        connection.execute("update dunning.derivation set version = version + 8")
        assert "dunning's projection 1 (here 9)" in relance(trial, "import", f"{file}", fails=True)
        connection.execute("update dunning.derivation set version = version - 8")


def _same_books(trial: Trial, road: Road, before: Path, after: Path) -> None:
    for service in HEARS:
        report = asyncio.run(replayed(trial, service))
        assert report.equal, (service, report.differing[:5])
    verified = road.ask_of("notify", "POST", "/archive/verify", json={})
    assert (verified["broken"], verified["records"] > 2) == (None, True)
    assert road.ask("dunning", "/policy")["automatic_from"] is None
    with opened(before) as one, opened(after) as other:
        found = differences(one, other)
    assert {line.partition(" line ")[0] for line in found} == {
        f"events/dunning/p{partition_of(COMPANY, None):02d}.jsonl",
        "rows/dunning/policy.jsonl",
        "rows/reporting/policy.jsonl",
    }, "but that no reminder leaves by itself"


def _start(trial: Trial) -> None:
    trial.stack.start_services()
    trial.stack.wait_ready()
    _publish_all(trial)


def _unless_held(road: Road) -> object:
    try:
        return road.tell("add-note", client_id=CLIENT, text="ZQ-NOTE")
    except RoadBlocked:
        return None


def _publish_all(trial: Trial) -> None:
    """Until every stream holds what its log holds, and everybody has heard it."""
    query = " union all ".join(
        f"select count(*) from {listener}.checkpoint c join {speaker}.partition_head h using (p)"
        f" where c.speaker = '{speaker}' and (c.pseq < h.seq or (h.seq > 0 and c.at = 0))"
        for listener, heard in HEARS.items()
        for speaker in heard
    )

    def behind() -> int:
        with psycopg.connect(trial.dsn) as connection:
            return sum(count for (count,) in connection.execute(query))

    assert asked_until(lambda left: left == 0, behind, within=60) == 0
