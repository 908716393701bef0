"""A service starts whatever is down, says in words what it waits for, and goes on by itself."""

import json
import os
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sqlalchemy import make_url

from chassis.auth import mint, read_key
from chassis.readiness import newest_migration
from cli.places import StackNotRunning, read_state
from cli.processes import Child
from cli.stack import RunningStack

SERVICE = "ledger"


def until(condition: Callable[[], bool], within: float = 40) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A data directory with a migrated service, and nothing running."""
    stack = RunningStack(tmp_path_factory.mktemp("one"), services=[SERVICE])
    stack.start()
    stack.stop()
    yield stack
    stack.stop()


class Collector(HTTPServer):
    """Takes in the spans that a process exports."""

    def __init__(self) -> None:
        self.spans: set[str] = set()
        self.bodies = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                collector.bodies += body
                request = ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        collector.spans.update(span.name for span in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_it_starts_with_nothing_there_and_recovers_alone(prepared: RunningStack) -> None:
    collector = Collector()
    url = prepared.url(SERVICE)
    environment = {
        **prepared._environment_of(SERVICE),
        "RELANCE_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    log = prepared.data_dir / "logs" / f"{SERVICE}.log"
    child = Child(SERVICE, [sys.executable, "-P", "-m", f"services.{SERVICE}", "run"], env=environment, log=log)
    servers = prepared.embedded
    child.start()
    try:

        def waits_for(*words: str) -> bool:
            told = child.readiness(url) or ""
            return all(word in told for word in words)

        assert until(lambda: waits_for("PostgreSQL", "NATS"))
        with urllib.request.urlopen(f"{url}/healthz") as alive:
            assert alive.status == 200
        servers.start()
        assert until(lambda: child.readiness(url) is None), child.readiness(url)

        servers.postgres.kill()
        assert until(lambda: waits_for("PostgreSQL"))
        servers.postgres.start()
        assert until(lambda: child.readiness(url) is None), child.readiness(url)

        servers.nats.kill()
        assert until(lambda: waits_for("NATS"))
        servers.nats.start()
        assert until(lambda: child.readiness(url) is None), child.readiness(url)
        assert child.is_running()

        token = mint(read_key(servers.private_key_file), "user:7", ["acme"], "user")
        asked = urllib.request.Request(
            f"{url}/companies/acme?q=Durand", headers={"Authorization": f"Bearer {token}"}
        )
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(asked)
        assert until(lambda: {"GET /companies/{company}", "select"} <= collector.spans), collector.spans
        assert b"Durand" not in collector.bodies
        child.ask_to_stop()
        assert child.wait() == 0
    finally:
        child.kill()
        servers.stop()
        collector.shutdown()
    for line in log.read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["service"] == SERVICE


def superuser(stack: RunningStack) -> psycopg.Connection[tuple[Any, ...]]:
    parts = make_url(stack.embedded.superuser_url)
    return psycopg.connect(
        user=parts.username,
        password=parts.password,
        dbname=parts.database,
        host=str(parts.query["host"]),
        autocommit=True,
    )


def test_a_schema_of_yesterday_is_named(prepared: RunningStack) -> None:
    with RunningStack(prepared.data_dir, services=[SERVICE]) as stack, superuser(stack) as admin:
        admin.execute("update ledger.alembic_version set version_num = '0000'")
        assert "at 0000" in (stack.children[SERVICE].readiness(stack.url(SERVICE)) or "")
        admin.execute("update ledger.alembic_version set version_num = %s", (newest_migration("services.ledger"),))


def test_an_older_version_serves_beside_a_newer_schema(prepared: RunningStack) -> None:
    with RunningStack(prepared.data_dir, services=[SERVICE]) as stack, superuser(stack) as admin:
        admin.execute("update ledger.alembic_version set version_num = '9999'")
        try:
            assert stack.children[SERVICE].readiness(stack.url(SERVICE)) is None
        finally:
            admin.execute(
                "update ledger.alembic_version set version_num = %s", (newest_migration("services.ledger"),)
            )


def test_a_service_whose_schema_is_not_there_yet_waits_for_it(prepared: RunningStack) -> None:
    with RunningStack(prepared.data_dir, services=[SERVICE]) as stack, superuser(stack) as admin:
        child = stack.children[SERVICE]
        admin.execute("alter schema ledger rename to to_come")
        child.kill()
        child.start()
        assert until(lambda: "no version" in (child.readiness(stack.url(SERVICE)) or ""))
        admin.execute("alter schema to_come rename to ledger")
        assert until(lambda: child.readiness(stack.url(SERVICE)) is None)
        assert child.is_running()


def test_other_commands_find_a_stack_that_runs_and_only_that(prepared: RunningStack) -> None:
    with RunningStack(prepared.data_dir, services=[SERVICE]) as stack:
        state = read_state(stack.data_dir)
        assert state.urls == {SERVICE: stack.url(SERVICE)}
        assert state.pid == os.getpid()
        assert (stack.data_dir / "state.json").stat().st_mode & 0o077 == 0
    with pytest.raises(StackNotRunning):
        read_state(prepared.data_dir)


def test_what_dies_is_started_again(prepared: RunningStack) -> None:
    with RunningStack(prepared.data_dir, services=[SERVICE]) as stack:
        os.kill(stack.nursery.pid or 0, signal.SIGKILL)
        os.kill(stack.children[SERVICE].pid or 0, signal.SIGKILL)
        os.kill(stack.embedded.postgres.pid or 0, signal.SIGKILL)
        os.kill(stack.embedded.nats.pid or 0, signal.SIGKILL)
        names: set[str] = set()
        assert until(lambda: names.update(stack.mend()) or len(names) == 3)  # type: ignore[func-returns-value]
        stack.wait_ready()


HOLDER = """
import sys, time
from pathlib import Path
from cli.stack import RunningStack
stack = RunningStack(Path(sys.argv[1]), services=["ledger"])
stack.start()
print(*stack.state().pids.values(), flush=True)
time.sleep(600)
"""


def test_nothing_outlives_a_parent_that_is_killed(prepared: RunningStack, tmp_path: Path) -> None:
    import subprocess

    from cli.places import ROOT

    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(prepared.data_dir)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert holder.stdout is not None
    pids = [int(word) for word in holder.stdout.readline().split()]
    assert len(pids) == 3
    holder.kill()
    holder.wait()

    def is_gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    assert until(lambda: all(map(is_gone, pids)), 20)
