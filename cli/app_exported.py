"""What the commands over exported files share: the file, what is written, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli.app import say
from cli.road import Json

ExportFile = Annotated[
    Path,
    typer.Argument(help="What export wrote.", exists=True, dir_okay=False, show_default=False),
]
WantedFile = Annotated[Path | None, typer.Argument(help="Where to write it; by default to the screen.")]


def tell_export(found: Json, things: str, file: Path | None) -> None:
    """The file's content on the screen, or how many ``things`` were written to it."""
    if file is None:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        say(f"{len(found[things])} {things} written to {file}")


def refuse(problems: list[str], *, as_json: bool) -> NoReturn:
    """Every problem, and exit code 1."""
    if as_json:
        typer.echo(json.dumps({"problems": problems}, ensure_ascii=False))
    for problem in problems:
        say(problem)
    raise typer.Exit(1)
