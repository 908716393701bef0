"""The process of a service: starts whatever is down, says in words what it waits for, stops cleanly."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import uvicorn

from chassis import database, logs, measures, parking
from chassis.health import keep_running
from chassis.http import create_app
from chassis.readiness import tell_lag, watch
from chassis.running import Running, Worker
from chassis.service import Background, Knobs, Service

API, WORKER, RELAY = "api", "worker", "relay"
STAGES = ("start", "compare", "switch", "back", "drop", "status")
PARTS = {"run": (API, WORKER, RELAY), API: (API,), WORKER: (WORKER,), RELAY: (RELAY,)}

log = logging.getLogger(__name__)


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}", description=f"The service {name}.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="Serve HTTP, listen, work and relay, all in this process.")
    commands.add_parser(API, help="Serve HTTP only.")
    commands.add_parser(WORKER, help="Listen to the streams and carry out jobs.")
    commands.add_parser(RELAY, help="Publish this service's events to its stream.")
    commands.add_parser("migrate", help="Bring this service's schema to its newest version.")
    rebuild = commands.add_parser("rebuild", help="Rebuild this service's tables from the first event.")
    rebuild.add_argument(
        "stage",
        nargs="?",
        choices=STAGES,
        help="Stage by stage, in a schema beside; without one the live rows are replaced where they differ.",
    )
    rebuild.add_argument("--once", action="store_true", help="With start: end when it has caught up.")
    rebuild.add_argument("--keys", type=int, default=10, help="With compare: how many rows are named per table.")
    rebuild.add_argument("--json", action="store_true", help="With a stage: print JSON objects.")
    rebuild.add_argument(
        "--check",
        action="store_true",
        help="Only compare with the live tables; 1 is the exit code on a difference.",
    )
    parked = commands.add_parser("parked", help="List the clients whose events could not be applied.")
    parked.add_argument("--skipped", action="store_true", help="The events that are never applied, and why.")
    unpark = commands.add_parser("unpark", help="Apply a client's parked events, after their reason is mended.")
    unpark.add_argument("speaker", help="Who said the events.")
    unpark.add_argument("company")
    unpark.add_argument("client_id", nargs="?", help="Left out for events that have no client.")
    skip = commands.add_parser("skip", help="Decide never to apply the first event that waits for a client.")
    skip.add_argument("speaker", help="Who said the events.")
    skip.add_argument("company")
    skip.add_argument("client_id", nargs="?", help="Left out for events that have no client.")
    skip.add_argument("--by", required=True, help="Who decides.")
    skip.add_argument("--reason", required=True, help="Why; it is kept.")
    commands.add_parser("reseal", help="Seal companies' secrets anew by the first key; 1 when one stays shut.")
    commands.add_parser("judge", help="Judge rows of an import, a JSON object per line; 1 when one is refused.")
    return parser


def command_line(name: str, build: Callable[[Knobs], Service], settings: type[Knobs]) -> None:
    """Parses the arguments of ``python -m services.<name>`` and does what they say; ends the process."""
    arguments = _parser(name).parse_args()
    knobs = settings()
    logs.write_json_lines(name, knobs.log_level)
    service = build(knobs)
    if arguments.command == "migrate":
        database.migrate(build.__module__.rpartition(".")[0], knobs.owner_database_url, name)
    elif arguments.command == "rebuild" and arguments.stage:
        from chassis.beside.command import stage_command  # noqa: PLC0415 - only here

        # what an operator reads is told in sentences on standard output
        logging.getLogger().setLevel(max(logging.WARNING, logging.getLogger().level))
        module = build.__module__.rpartition(".")[0]
        told = stage_command(
            service, module, arguments.stage, once=arguments.once, keys=arguments.keys, as_json=arguments.json
        )
        sys.exit(asyncio.run(told))
    elif arguments.command == "rebuild":
        from chassis.rebuild import rebuild_command  # noqa: PLC0415 - only here

        sys.exit(asyncio.run(rebuild_command(service, build.__module__.rpartition(".")[0], arguments.check)))
    elif arguments.command == "parked":
        asyncio.run(parking.parked_command(service, arguments.skipped))
    elif arguments.command == "skip":
        whose = (arguments.speaker, arguments.company, arguments.client_id)
        sys.exit(asyncio.run(parking.skip_command(service, *whose, arguments.by, arguments.reason)))
    elif arguments.command == "reseal":
        from chassis.resealing import reseal_command  # noqa: PLC0415 - only here

        sys.exit(asyncio.run(reseal_command(service)))
    elif arguments.command == "judge":
        from chassis.judging import judge_command  # noqa: PLC0415 - only here

        sys.exit(judge_command(service))
    elif arguments.command == "unpark":
        client_id = arguments.client_id
        asyncio.run(parking.unpark_command(service, arguments.speaker, arguments.company, client_id))
    else:
        asyncio.run(serve(service, build.__module__.rpartition(".")[0], PARTS[arguments.command]))


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the whole process stops in one order. Whoever sets ``should_exit``
    sets ``ended`` as well."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Until told to end: uvicorn asks ten times a second, and makes the time of day anew once."""
        ended = asyncio.create_task(self.ended.wait())
        while not await self.on_tick(0):
            await asyncio.wait({ended}, timeout=1)
        ended.cancel()


KEPT_ALIVE_SECONDS = 75
"""So long a connection at rest is kept, far longer than our own callers keep theirs: a command that is sent on a
connection that is being closed gets no answer, and is never sent twice."""
COLLECT_AFTER = (20_000, 20, 20)
"""Events, rows and requests make many objects and few cycles: looking for cycles at the usual pace took a tenth of
the ledger's time in an import."""


async def serve(service: Service, module: str, parts: tuple[str, ...]) -> None:
    """Runs parts of a service until SIGTERM or SIGINT. Needs neither PostgreSQL nor NATS to start."""
    gc.freeze()  # what is there now stays for good
    gc.set_threshold(*COLLECT_AFTER)
    process = Running(service)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopping.set)
    watch(process, module, needs_nats=_needs_nats(service, parts))
    server = _Server(
        uvicorn.Config(
            create_app(process, with_routes=API in parts),
            host=service.settings.http_host,
            port=service.settings.http_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=KEPT_ALIVE_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve(), name="http")
    working = asyncio.create_task(_work(process, parts), name="work")
    waiting = asyncio.create_task(stopping.wait(), name="stop")
    await asyncio.wait({serving, working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping")
    server.should_exit = True
    server.ended.set()
    working.cancel()
    waiting.cancel()
    await asyncio.wait({serving, working}, timeout=service.settings.stop_within)
    log.info("closing")
    await process.stop()
    log.info("closed")
    for task in (serving, working):
        if task.done() and not task.cancelled() and (failure := task.exception()) is not None:
            raise failure


def _needs_nats(service: Service, parts: tuple[str, ...]) -> bool:
    return (WORKER in parts and service.listening is not None) or (RELAY in parts and service.speaks)


def background_of(service: Service, parts: tuple[str, ...]) -> Mapping[str, Background]:
    """What a process of these parts does besides. Who hears nobody is installed without workers: there it is the
    part that answers which does it, in every process of several."""
    is_alone = service.listening is None and API in parts
    return service.background if WORKER in parts or is_alone else {}


async def _work(process: Running, parts: tuple[str, ...]) -> None:
    service = process.service
    async with asyncio.TaskGroup() as group:
        group.create_task(process.health.tick())
        group.create_task(tell_lag(process))
        group.create_task(measures.keep_fresh(process.name, process.engine))
        for name, work in background_of(service, parts).items():
            group.create_task(keep_running(name, process.health, partial(work, process)))
        if _needs_nats(service, parts):
            await process.connect()
        if WORKER in parts and service.listening:
            group.create_task(_keep(process, "projection", process.projection_worker))
        if RELAY in parts and service.speaks:
            group.create_task(_keep(process, "relay", process.relay))
        await asyncio.Event().wait()


async def _keep(process: Running, part: str, make: Callable[[], Worker]) -> None:
    async def work() -> None:
        await process.work(part, make())

    await keep_running(part, process.health, work)
