"""Commands about letters: ``letters list``, ``letters print``, ``letters posted``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import CompanyName

MOST = 5000

letters = typer.Typer(help="Letters that were made: which are to be posted, as one PDF, and that they were.")
app.add_typer(letters, name="letters")


@letters.command("list")
def listed(
    company: CompanyName,
    posted: Annotated[bool, typer.Option("--posted", help="Those that were posted.")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List letters in the order of the post: action, client, step, town, amount, pages."""
    from cli.main_job import road_of

    found = road_of(data_dir_of(data), company).letters("posted" if posted else "prepared")
    if as_json:
        typer.echo(json.dumps({"letters": found}, ensure_ascii=False))
        return
    for one in found:
        town = one["address"][-1] if one["address"] else ""
        told = (one["action_id"], one["client_id"], one["step"], town, one["amount"], one["pages"])
        typer.echo("\t".join(map(str, told)))
    say(f"{len(found)} letters.")


@letters.command("print")
def printed(
    company: CompanyName,
    into: Annotated[Path, typer.Option("--into", help="The PDF to write.", dir_okay=False, show_default=False)],
    both_sides: Annotated[bool, typer.Option("--both-sides", help="Each letter begins on a sheet.")] = False,
    data: DataDir = None,
) -> None:
    """Write the letters that are to be posted as one PDF, under a list of them."""
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company)
    found = [one["action_id"] for one in road.letters() if not one["erased"]][:MOST]
    if not found:
        say("No letter is to be posted.")
        raise typer.Exit(1)
    into.write_bytes(road.print_letters(found, both_sides=both_sides))
    say(f"{len(found)} letters in {into}.")


@letters.command("posted")
def were_posted(
    company: CompanyName,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="The day; today when left out.", show_default=False),
    ] = None,
    data: DataDir = None,
) -> None:
    """Note that all letters which are to be posted went to the post."""
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company)
    found = [one["action_id"] for one in road.letters()][:MOST]
    if found:
        road.letters_posted(found, on.date() if on else None)
    say(f"{len(found)} letters posted.")
