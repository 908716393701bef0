"""The commands ``scenario …``: scenarios as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_exported import ExportFile, WantedFile, refuse, tell_export
from cli.app_work import AsOf, CompanyName

scenario = typer.Typer(name="scenario", help="Scenarios as a file, for another company.", no_args_is_help=True)
app.add_typer(scenario)


@scenario.command()
def export(
    company: CompanyName,
    file: WantedFile = None,
    profile: Annotated[list[str] | None, typer.Option(help="Only this profile; may be given again.")] = None,
    data: DataDir = None,
) -> None:
    """Write the scenarios of a company as JSON. Copies are people of this company and stay behind."""
    from cli.main_job import road_of
    from cli.scenarios import ScenariosRefused, export_scenarios

    road = road_of(data_dir_of(data), company, None)
    try:
        found = export_scenarios(road, profile or (), file)
    except ScenariosRefused as refused:
        refuse(refused.problems, as_json=False)
    tell_export(found, "scenarios", file)


@scenario.command("import")
def import_(
    file: ExportFile, company: CompanyName, as_of: AsOf = None, data: DataDir = None, as_json: AsJson = False
) -> None:
    """Publish the scenarios of a file: a new version of each that differs. All, or none when one is wrong."""
    _take(file, company, as_of, data, as_json=as_json, dry_run=False)


@scenario.command()
def check(
    file: ExportFile, company: CompanyName, as_of: AsOf = None, data: DataDir = None, as_json: AsJson = False
) -> None:
    """Tell what an import would change and what is wrong with the file, and change nothing. Exit code 1 when it
    cannot be imported or names templates that the company does not have.
    """
    _take(file, company, as_of, data, as_json=as_json, dry_run=True)


def _take(file: Path, company: str, as_of: Any, data: Path | None, *, as_json: bool, dry_run: bool) -> None:
    from cli.main_job import road_of
    from cli.scenarios import ScenariosRefused, import_scenarios

    road = road_of(data_dir_of(data), company, as_of.date() if as_of else None)
    try:
        result = import_scenarios(road, file, dry_run=dry_run)
    except ScenariosRefused as refused:
        refuse(refused.problems, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        for one in result["imported"]:
            count = len(one["changes"])
            told = f"version {one['version']}, {count} changes" if count else "nothing changes"
            typer.echo(f"{one['profile']}: {told}")
        for one in result["templates_missing"]:
            say(
                f"The template {one['template']} ({one['medium']}) does not exist in {company}:"
                " write it there, or name another."
            )
    if dry_run and result["templates_missing"]:
        raise typer.Exit(1)
