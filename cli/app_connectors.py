"""Commands around connectors to live bases: ``connector``, ``connector-token``, ``sage-base``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import DataDir, app, data_dir_of, say


@app.command()
def connector(
    configuration: Annotated[
        Path, typer.Argument(help="A TOML file: where sync is, and which bases to read.", show_default=False)
    ],
) -> None:
    """Run the agent beside accounting databases: it reads them and pushes what changed to sync, until Ctrl-C."""
    from cli.connectors import run_agent

    raise typer.Exit(run_agent(configuration))


@app.command(name="connector-token")
def connector_token(
    company: Annotated[str, typer.Option(help="The company whose base the agent reads.", show_default=False)],
    name: Annotated[str, typer.Option(help="The connector's name.", show_default=False)],
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good for.")] = 365,
    data: DataDir = None,
) -> None:
    """Print a token for an agent: it may deliver that company's books and invoices, and nothing else."""
    from cli.connectors import make_token

    typer.echo(make_token(data_dir_of(data), company, name, days))


@app.command(name="sage-base")
def sage_base(
    schema: Annotated[str, typer.Argument(help="The schema that holds the base.", show_default=False)],
    entries: Annotated[int, typer.Option(min=10, help="Customer lines of a new base.")] = 5000,
    change: Annotated[int, typer.Option(min=0, help="Instead of making it: so many changes of every kind.")] = 0,
    seed: Annotated[int, typer.Option(help="Draws the changes.")] = 1,
    data: DataDir = None,
) -> None:
    """Make a base for trials in the table shapes of Sage 100, on the PostgreSQL of the data directory.

    Its address, for a connector, is written to a file there.
    """
    from cli.connectors import change_base, make_base

    directory = data_dir_of(data)
    if change:
        typer.echo(json.dumps(change_base(directory, schema, change, seed)))
        return
    lines, file = make_base(directory, schema, entries)
    say(f'{lines} customer lines in schema {schema}; choose the option "db_schema": "{schema}"')
    typer.echo(file)
