"""``python -m services.X rebuild STAGE``: what an operator types and reads."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any

from psycopg import OperationalError

from chassis.applying import Fenced, Gap, TooManyParked
from chassis.beside.building import Progress, build
from chassis.beside.place import Beside, looked_at, version_of
from chassis.beside.stages import Compared, Refused, Stages, Switched
from chassis.beside.swap import Entangled
from chassis.replaying import StreamBehind

if TYPE_CHECKING:
    from chassis.service import Service

TELL_SECONDS = 5.0


async def stage_command(  # noqa: PLR0913 what was typed
    service: Service, module: str, stage: str, *, once: bool, keys: int, as_json: bool
) -> int:
    """Carries out one stage; prints sentences, or one JSON object. 1: there are differences; 2: refused."""
    if service.listening is None:
        sys.stderr.write(f"{service.name} derives no tables from events\n")
        return 2
    settings = service.settings
    stages = Stages(
        service.name, module, service.listening, service.events, settings.owner_database_url, settings.nats_url
    )
    try:
        match stage:
            case "start":
                return await _start(stages, once=once, as_json=as_json)
            case "compare":
                compared = await stages.compare(most_keys=keys)
                _say(_compared(compared), _compared_facts(compared), as_json)
                return 0 if compared.is_equal else 1
            case "switch" | "back":
                switched = await stages.switch("next" if stage == "switch" else "before")
                _say(_switched(switched), asdict(switched), as_json)
            case "drop":
                role = await stages.drop()
                _say([f"{service.name}_{role} is gone"], {"service": service.name, "dropped": role}, as_json)
            case _:
                await _status(stages, as_json=as_json)
    except (Fenced, Gap) as met:
        sys.stderr.write(
            f"{service.name}: {type(met).__name__}: {met}; nothing has changed places, try it again\n"
        )
        return 2
    except (Refused, Entangled, StreamBehind, TooManyParked, OperationalError) as refused:
        sys.stderr.write(f"{service.name}: {refused}\n")
        return 2
    return 0


def _say(sentences: list[str], facts: dict[str, Any], as_json: bool) -> None:
    sys.stdout.write((json.dumps(facts, default=str) if as_json else "\n".join(sentences)) + "\n")
    sys.stdout.flush()


async def _start(stages: Stages, *, once: bool, as_json: bool) -> int:
    """Until it is switched to or dropped, until SIGTERM or Ctrl-C, or with ``once`` until it has caught up."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stopping.set)
    building = asyncio.create_task(build(stages, _teller(stages, as_json), once=once))
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({building, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if building.done():
        ended = await building
    else:
        building.cancel()
        await asyncio.gather(building, return_exceptions=True)
        ended = "stopped; start goes on from here"
    _say([f"{stages.service}_next: {ended}"], {"service": stages.service, "ended": ended}, as_json)
    return 0


def _teller(stages: Stages, as_json: bool) -> Callable[[Progress], None]:
    told: dict[str, Any] = {"at": 0.0, "behind": None}

    def tell(progress: Progress) -> None:
        """Every few seconds while it moves, and at once when it has caught up."""
        is_new = (progress.behind == 0) != (told["behind"] == 0)
        if not is_new and (monotonic() - told["at"] < TELL_SECONDS or progress.behind == told["behind"] == 0):
            return
        told.update(at=monotonic(), behind=progress.behind)
        words = (
            f"{stages.service}_next: {_number(progress.heard)} events heard, {_number(progress.behind)} behind"
            f" ({_number(round(progress.per_second))} a second)"
        )
        if progress.behind == 0:
            words = f"{stages.service}_next: caught up at {_number(progress.heard)} events, following"
        _say([words], asdict(progress), as_json)

    return tell


def _number(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _compared_facts(compared: Compared) -> dict[str, Any]:
    return asdict(compared) | {"equal": compared.is_equal}


def _compared(compared: Compared) -> list[str]:
    """A line per table that holds or would hold rows, then where to look."""
    versions = f"version {compared.live_version} is live, version {compared.version} is {compared.role}"
    events = sum(sum(numbers.values()) for numbers in compared.heard.values())
    lines = [f"{compared.service}: {versions}; both at {_number(events)} events ({compared.seconds:.1f} s)"]
    titles = ("table", "live", compared.role, "equal", "only live", f"only {compared.role}", "differing")
    rows = [
        (
            one.table,
            *(
                _number(count)
                for count in (one.live, one.beside, one.equal, one.only_live, one.only_beside, one.differing)
            ),
        )
        for one in compared.tables
        if one.live or one.beside
    ]
    widths = [max(len(row[n]) for row in (titles, *rows)) for n in range(len(titles))]
    for row in (titles, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join([row[0].ljust(widths[0]), *cells]))
    if empty := [one.table for one in compared.tables if not (one.live or one.beside)]:
        lines.append(f"  without rows: {', '.join(empty)}")
    for one in compared.tables:
        if one.is_equal:
            continue
        if one.columns:
            columns = ", ".join(f"{name} in {_number(count)}" for name, count in one.columns.items())
            lines.append(f"{one.table}: {columns}")
        lines += [f"  {_key(told, compared.role)}" for told in one.keys]
    lines.append(str(compared.parked) if compared.parked else "set aside: the same events on both sides")
    lines.append("every row is equal" if compared.is_equal else "the versions differ, as told above")
    return lines


def _key(told: dict[str, Any], role: str) -> str:
    key = " ".join(f"{name}={value}" for name, value in told["key"].items())
    if "only" in told:
        return f"{key}: only {'live' if told['only'] == 'live' else role}"
    return f"{key}: {', '.join(told.get('columns', []))}"


def _switched(switched: Switched) -> list[str]:
    name = switched.service
    way_on = "back" if switched.kept == "before" else "switch"
    return [
        f"{name}: version {switched.live_version} is live; {_number(switched.events)} events were caught up",
        f"  readers and commands waited {switched.stood_still_seconds * 1000:.0f} ms,"
        f" events {switched.projection_stood_still_seconds * 1000:.0f} ms",
        f"  version {switched.kept_version} is kept in {name}_{switched.kept}: relance rebuild {way_on} {name},"
        f" or relance rebuild drop {name}",
    ]


async def _status(stages: Stages, *, as_json: bool) -> None:
    async with stages.connection() as connection:
        live = await version_of(connection, stages.service)
        found = await looked_at(connection, stages.service)
    facts: dict[str, Any] = {
        "service": stages.service,
        "live_version": live,
        "code_version": stages.listening.version,
        "beside": None if found is None else asdict(found) | {"events_behind": found.events_behind},
    }
    _say(_told(stages, live, found), facts, as_json)


def _told(stages: Stages, live: int | None, found: Beside | None) -> list[str]:
    name = stages.service
    made_by = "by no version yet" if live is None else f"by version {live}"
    lines = [f"{name}: live tables are made {made_by}, this code is version {stages.listening.version}"]
    if found is None:
        return [*lines, f"  nothing beside; relance rebuild start {name} builds them anew"]
    following = "nobody builds" if not found.builders else f"{found.builders} following"
    behind = ", ".join(f"{count} of {speaker}" for speaker, count in found.behind.items() if count)
    lines.append(
        f"  {found.schema}: version {found.version}, since {found.since:%Y-%m-%d %H:%M} UTC,"
        f" {_number(found.events_behind)} events behind{f' ({behind})' if behind else ''}"
        + (f", {following}" if found.role == "next" else "")
        + (f", {found.parked} clients set aside" if found.parked else "")
    )
    if found.role == "next":
        lines.append(f"  next: relance rebuild compare {name}, relance rebuild switch {name}")
    else:
        lines.append(f"  next: relance rebuild back {name} catches up and goes back; relance rebuild drop {name}")
    return lines
