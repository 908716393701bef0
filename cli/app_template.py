"""The commands ``template …``: texts of messages as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_exported import ExportFile, WantedFile, refuse, tell_export
from cli.app_work import CompanyName

template = typer.Typer(
    name="template", help="Texts of messages as a file, for another company.", no_args_is_help=True
)
app.add_typer(template)


@template.command()
def export(
    company: CompanyName,
    file: WantedFile = None,
    name: Annotated[list[str] | None, typer.Option(help="Only this template; may be given again.")] = None,
    data: DataDir = None,
) -> None:
    """Write the texts that a company wrote itself as JSON; delivered ones are in every company already."""
    from cli.main_job import road_of
    from cli.templates import TemplatesRefused, export_templates

    road = road_of(data_dir_of(data), company, None)
    try:
        found = export_templates(road, name or (), file)
    except TemplatesRefused as refused:
        refuse(refused.problems, as_json=False)
    tell_export(found, "templates", file)


@template.command("import")
def import_(file: ExportFile, company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Save the texts of a file: a new version of each that differs. All, or none when one cannot be saved."""
    _take(file, company, data, as_json=as_json, dry_run=False)


@template.command()
def check(file: ExportFile, company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Tell what an import would change and what is wrong with the file, and change nothing. Exit code 1 when it
    cannot be imported.
    """
    _take(file, company, data, as_json=as_json, dry_run=True)


def _take(file: Path, company: str, data: Path | None, *, as_json: bool, dry_run: bool) -> None:
    from cli.main_job import road_of
    from cli.templates import TemplatesRefused, import_templates, named

    road = road_of(data_dir_of(data), company, None)
    try:
        result = import_templates(road, file, dry_run=dry_run)
    except TemplatesRefused as refused:
        refuse(refused.problems, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for one in result["imported"]:
        told = "nothing changes" if one["state"] == "same" else f"version {one['version']}, {one['state']}"
        typer.echo(f"{named(one)}: {told}")
    if dry_run:
        say("Nothing was saved.")
