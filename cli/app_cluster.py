"""Commands for an installation on Kubernetes: ``cluster drill``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, app, say

cluster = typer.Typer(name="cluster", help="An installation on Kubernetes.", no_args_is_help=True)
app.add_typer(cluster)


@cluster.callback()
def of_clusters() -> None:
    """Keeps ``drill`` a word of its own while it is the only one."""


@cluster.command()
def drill(
    overlay: Annotated[
        Path | None,
        typer.Option(
            help="deploy/kubernetes/overlays/drill, or one of your own that builds on it.", show_default=False
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="The context of kubectl; by default the current one.", show_default=False)
    ] = None,
    entries: Annotated[int, typer.Option(min=100, help="Customer entries of the first day.")] = 2000,
    services: Annotated[
        list[str] | None,
        typer.Option("--roll", help="Roll this service inside the work; may be repeated.", show_default=False),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the namespace as it is at the end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Install on a cluster, live a company's days there, roll, break and undo releases meanwhile, and compare.

    It wants kubectl, a context that reaches the cluster, and images that the cluster can pull. The namespace it
    makes is deleted at the end. The exit code is 1 when anything went otherwise than it must.
    """
    from cli.cluster.drill import OVERLAY
    from cli.cluster.drill import drill as drilled
    from cli.cluster.releases import ROLLED
    from cli.stack import stop_on_signals

    stop_on_signals()
    found = drilled(
        (overlay or OVERLAY).resolve(), say, context=context, entries=entries, keep=keep, rolled=services or ROLLED
    )
    typer.echo(json.dumps(found, indent=None if as_json else 1))
    raise typer.Exit(0 if found["ok"] else 1)
