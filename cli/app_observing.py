"""The command for those who watch: ``dashboards``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.app import app, say


@app.command()
def dashboards(
    to: Annotated[Path, typer.Option("--to", help="The folder for the pictures.", file_okay=False)],
    prometheus: Annotated[
        str | None,
        typer.Option(help="A Prometheus that watches; by default one of this machine watches a demonstration."),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.5, help="The last minutes shown, or those of it.")] = 4,
) -> None:
    """Draw the dashboards of deploy/observability as pictures, without a Grafana."""
    from chassis import clock
    from cli.observing.demonstration import watched_minutes
    from cli.observing.drawing import ChartsMissing, draw
    from cli.observing.prometheus import Asked, PrometheusMissing
    from cli.pictures import BrowserMissing
    from cli.stack import stop_on_signals

    try:
        if prometheus is None:
            stop_on_signals()
            drawn = watched_minutes(minutes, to.resolve(), say)
        else:
            now = clock.now().timestamp()
            drawn = draw(Asked(prometheus), to.resolve(), now - 60 * minutes, now)
    except (PrometheusMissing, BrowserMissing, ChartsMissing) as missing:
        say(f"{missing}.")
        raise typer.Exit(1) from missing
    for file in drawn:
        typer.echo(file)
