"""``relance rebuild``: a service's derived tables built anew beside the live ones, and switched to."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.app import AsJson, DataDir, ServiceName, app, data_dir_of, known
from cli.places import SERVICES

rebuild = typer.Typer(
    name="rebuild",
    help="Build the tables that a service derives from events anew, beside the live ones, and put them in place.",
    no_args_is_help=True,
)
app.add_typer(rebuild)

DERIVING = tuple(name for name in SERVICES if name != "console")


def _run(service: str, data: DataDir, as_json: bool, *arguments: str) -> int:
    from cli.joining import run_service

    told = ["rebuild", *arguments, *(["--json"] if as_json else [])]
    return run_service(known(service), told, data_dir_of(data))


@rebuild.command()
def start(
    service: ServiceName,
    once: Annotated[bool, typer.Option("--once", help="End when it has caught up, instead of following.")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Build them from the first event in the schema SERVICE_next, and follow until they are switched to.

    Stopped or killed at any moment, the same command goes on from there. The service works on meanwhile.
    """
    raise typer.Exit(_run(service, data, as_json, "start", *(["--once"] if once else [])))


@rebuild.command()
def compare(
    service: ServiceName,
    keys: Annotated[int, typer.Option(min=0, help="How many differing rows are named per table.")] = 10,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Compare them with the live ones after exactly the same events, table by table.

    The exit code is 1 when a row differs, which a new version may rightly bring.
    """
    raise typer.Exit(_run(service, data, as_json, "compare", "--keys", str(keys)))


@rebuild.command()
def switch(service: ServiceName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Put them in the place of the live ones, in one transaction; those are kept in SERVICE_before."""
    raise typer.Exit(_run(service, data, as_json, "switch"))


@rebuild.command()
def back(service: ServiceName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Bring the tables that were live before up to date, and switch back to them, in one transaction."""
    raise typer.Exit(_run(service, data, as_json, "back"))


@rebuild.command()
def drop(service: ServiceName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Throw away what stands beside the live tables."""
    raise typer.Exit(_run(service, data, as_json, "drop"))


@rebuild.command()
def status(
    service: Annotated[
        str | None, typer.Argument(help="One of the services; by default all.", show_default=False)
    ] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say which version makes the live tables, and what stands beside them."""
    codes = [_run(name, data, as_json, "status") for name in ([service] if service else DERIVING)]
    raise typer.Exit(max(codes))
