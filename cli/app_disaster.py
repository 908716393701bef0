"""Commands for the day after a disaster, and for rehearsing it: ``refill``, ``drill``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, app, say
from cli.servers import HERE, Servers, on_servers


@app.command()
@on_servers
def refill(
    services: Annotated[
        list[str] | None,
        typer.Argument(help="Whose streams are made again; by default all.", show_default=False),
    ] = None,
    lost: Annotated[
        Path,
        typer.Option(help="Where events go that only a stream knew, one JSON object a line.", dir_okay=False),
    ] = Path("lost-events.jsonl"),
    servers: Servers = HERE,
    as_json: AsJson = False,
) -> None:
    """Make streams again from the logs, the services being stopped; relays fill them at the next start.

    For a stream that lost something in its middle, or that knows more than a restored PostgreSQL.
    """
    from cli.credentials import CredentialsMissing
    from cli.refilling import HistoryDivided, ServicesRun, StreamUnreadable
    from cli.refilling import refill as make_again
    from contracts.subjects import SPEAKERS

    unknown = sorted(set(services or ()) - set(SPEAKERS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: streams have {', '.join(SPEAKERS)}")
    if lost.exists():
        raise typer.BadParameter(f"{lost} exists: name another file with --lost, so that nothing is written over")
    try:
        with (
            servers.reached() as (dsn, nats_url),
            lost.open("w", encoding="utf-8") as written,
        ):
            done = make_again(dsn, nats_url, services or SPEAKERS, written)
    except (ServicesRun, HistoryDivided, StreamUnreadable, CredentialsMissing) as hindered:
        if lost.exists() and not lost.stat().st_size:
            lost.unlink()  # nothing was lost so far: the same command is given again once the hindrance is away
        say(str(hindered))
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps([vars(one) for one in done]))
        return
    for one in done:
        typer.echo(f"{one.stream}: {one.messages} messages removed, {one.lost} of them only it knew")


@app.command()
def drill(
    entries: Annotated[int, typer.Option(min=100, help="Customer entries of the first day.")] = 2000,
) -> None:
    """Rehearse on servers of its own: streams deleted, rolled back, ahead; PostgreSQL at a point in time.

    It prints one JSON object; the exit code is 1 when the books are not what they were, or a refusal was missing.
    """
    from cli.drills.rehearsal import rehearse
    from cli.stack import stop_on_signals

    stop_on_signals()
    found = rehearse(entries, say)
    typer.echo(json.dumps(found))
    raise typer.Exit(0 if found["ok"] else 1)
