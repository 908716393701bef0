"""What tests stand on: one PostgreSQL and one NATS for the session, and a company of its own for every test.

``stack`` gives real servers with every service's schema migrated and every stream made, and no service running.
``houses`` gives a second data directory in which every service runs as a process of its own.
"""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from chassis.embedded import Stack
from chassis.embedded_config import NATS_ADMIN
from cli.places import SERVICES
from cli.stack import RunningStack
from contracts.subjects import SPEAKERS
from tests.prepared import prepared

TOYS = ("alpha", "beta")
"""Services that only tests have; they migrate their schemas themselves."""


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``ready("walk")`` is a new data directory, initialised, migrated and provisioned (tests/prepared.py)."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return lambda name: prepared(run, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="session")
def stack(ready: Callable[[str], Path]) -> Iterator[Stack]:
    """Servers with the roles and schemas of all services; ``stack.database_url(service, role)`` and so on."""
    from chassis.provision import provision

    with Stack(ready("stack"), (*SERVICES, *TOYS)) as running:
        running.ensure_roles()
        asyncio.run(provision(running.nats_url(NATS_ADMIN), (*SPEAKERS, *TOYS)))
        yield running
    shutil.rmtree(running.data_dir, ignore_errors=True)


@pytest.fixture(scope="module")
def houses(ready: Callable[[str], Path]) -> Iterator[RunningStack]:
    """Every service as a process, with ``Relance-As-Of`` allowed; ``houses.url("ledger")`` is an address."""
    with RunningStack(ready("houses"), allow_as_of=True, console_port=0) as running:
        yield running
    shutil.rmtree(running.data_dir, ignore_errors=True)


@pytest.fixture
def company() -> str:
    """The slug of a company that no other test uses."""
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory."""
    return tmp_path / "data"
