"""The commands ``levels …``: levels carried over from an older tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import AsOf, CompanyName

levels = typer.Typer(name="levels", help="The reminder levels of entries.", no_args_is_help=True)
app.add_typer(levels)


@levels.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV with a heading: client, piece, level (or next_step), last_reminder.",
            exists=True,
            dir_okay=False,
        ),
    ],
    company: CompanyName,
    as_of: AsOf = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Carry over how far an older tool had reminded: the next proposal goes on from there.

    A file that cannot be read changes nothing. Lines that name no open entry are told, the others are applied; the
    exit code is 1 when there are any. Importing again changes nothing.
    """
    from cli.levels import LevelsRefused, import_levels, sentence
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company, as_of.date() if as_of else None)
    try:
        result = import_levels(road, file)
    except LevelsRefused as refused:
        result = {"file": file.name, "lines": 0, "set": 0, "unchanged": 0, "refused": refused.problems}
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        for problem in result["refused"]:
            say(f"{sentence(problem)}.")
        typer.echo(
            f"{result['set']} levels set, {result['unchanged']} unchanged, {len(result['refused'])} refused"
        )
    if result["refused"]:
        raise typer.Exit(1)
