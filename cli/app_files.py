"""The commands ``mapping …``: how files that are no FEC are read, as YAML that a person edits."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cli.app import AsJson, DataDir, app, data_dir_of
from cli.app_work import CompanyName

mapping = typer.Typer(
    name="mapping",
    help="How files that are no FEC are read: which column holds what. Saved per company under a name, as YAML.",
    no_args_is_help=True,
)
app.add_typer(mapping)

Name = Annotated[str, typer.Argument(help="The mapping's name.", show_default=False)]


def _show(held: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(held, ensure_ascii=False))
    else:
        typer.echo(yaml.safe_dump(held, allow_unicode=True, sort_keys=False).rstrip())


@mapping.command("guess")
def guess(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file.", exists=True, dir_okay=False)],
    company: CompanyName,
    holds: Annotated[str | None, typer.Option(help="entries, clients or contacts; by default guessed.")] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Look at a file and print the mapping that seems to fit: to be corrected, then saved."""
    from cli.main_job import road_of

    _show(road_of(data_dir_of(data), company).look_at(file, holds)["mapping"], as_json=as_json)


@mapping.command("save")
def save(
    name: Name,
    company: CompanyName,
    file: Annotated[
        Path | None,
        typer.Option("--from", help="A YAML file; by default standard input.", exists=True, dir_okay=False),
    ] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Save a mapping under a name. The next import with it follows it."""
    from cli.main_job import road_of

    text = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    try:
        held = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"{file or 'standard input'} is no YAML: {error}") from error
    if not isinstance(held, dict):
        raise typer.BadParameter(f"{file or 'standard input'} holds no mapping: names and values are needed")
    _show(road_of(data_dir_of(data), company).save_mapping(name, held), as_json=as_json)


@mapping.command("show")
def show(name: Name, company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Print a saved mapping."""
    from cli.main_job import road_of

    _show(road_of(data_dir_of(data), company).mapping(name), as_json=as_json)


@mapping.command("list")
def list_(company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Print the names of the saved mappings."""
    from cli.main_job import road_of

    found = road_of(data_dir_of(data), company).mappings()["mappings"]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(f"{one['name']}: {one['holds']}, saved by {one['changed_by']}")
