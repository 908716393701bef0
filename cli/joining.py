"""Commands that work on servers already running: those of the environment, or those of a data directory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chassis.confine import before_exec
from chassis.embedded import Stack
from chassis.embedded_config import NATS_ADMIN
from cli.places import ROOT, SERVICES, StackNotRunning, read_state

DATABASE_VARIABLES = ("RELANCE_DATABASE_URL", "RELANCE_DATABASE_URL_FILE")
OWNER_VARIABLES = ("RELANCE_OWNER_DATABASE_URL", "RELANCE_OWNER_DATABASE_URL_FILE")


@contextmanager
def servers(data_dir: Path) -> Iterator[Stack]:
    """The servers of a data directory: those that run, else started for as long as the command takes."""
    try:
        read_state(data_dir)
    except StackNotRunning:
        with Stack(data_dir, SERVICES) as started:
            started.ensure_roles()
            yield started
    else:
        yield Stack(data_dir, SERVICES).attach()


def run_process(command: Sequence[str], environment: Mapping[str, str]) -> int:
    import signal

    process = subprocess.Popen(
        command,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        preexec_fn=before_exec(None, signal.SIGTERM),  # noqa: PLW1509 - started by the main thread
    )
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the child got the same Ctrl-C and stops in order


def run_service(service: str, arguments: Sequence[str], data_dir: Path) -> int:
    """Runs ``python -m services.<service>`` in the foreground; answers its exit code."""
    command = [sys.executable, "-P", "-m", f"services.{service}", *arguments]
    if any(name in os.environ for name in DATABASE_VARIABLES):
        return run_process(command, {})
    with servers(data_dir) as stack:
        urls = {
            f"RELANCE_{name.upper()}_URL": f"http://127.0.0.1:{stack.port(f'http-{name}')}" for name in SERVICES
        }
        port = {"RELANCE_HTTP_PORT": str(stack.port(f"http-{service}"))}
        return run_process(command, {**urls, **port, **stack.environment(service)})


def migrate_services(services: Sequence[str], data_dir: Path) -> list[str]:
    """Migrates services where the environment says, else in the data directory; answers their names."""
    if any(name in os.environ for name in OWNER_VARIABLES):
        for service in services:
            code = run_process([sys.executable, "-P", "-m", f"services.{service}", "migrate"], {})
            if code != 0:
                sys.exit(code)
        return list(services)
    from chassis.database import migrate

    with servers(data_dir) as stack:
        for service in services:
            migrate(f"services.{service}", stack.database_url(service, "owner"), service)
    return list(services)


def provision_streams(
    data_dir: Path, nats_url: str | None, *, replicas: int, max_bytes: int | None, deny_purge: bool
) -> dict[str, str]:
    """Makes the streams where ``nats_url`` says, else in the data directory. Answers what was done to each."""
    from chassis.provision import provision

    if nats_url is not None:
        return asyncio.run(provision(nats_url, replicas=replicas, max_bytes=max_bytes, deny_purge=deny_purge))
    with servers(data_dir) as stack:
        return asyncio.run(
            provision(stack.nats_url(NATS_ADMIN), replicas=replicas, max_bytes=max_bytes, deny_purge=deny_purge)
        )
