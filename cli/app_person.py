"""Commands about personal data: ``person export``, ``person erase``, ``person admit``."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import CompanyName

person = typer.Typer(help="The personal data behind a client: hand it out, forget it everywhere.")
app.add_typer(person, name="person")

ClientCode = Annotated[str, typer.Argument(help="The client's code in accounting.", show_default=False)]


@person.command()
def export(
    client: ClientCode,
    company: CompanyName,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="The file to write; by default standard output.", show_default=False),
    ] = None,
    files: Annotated[
        Path | None,
        typer.Option("--files", help="An empty folder for the files: sent, received, documents.", file_okay=False),
    ] = None,
    data: DataDir = None,
) -> None:
    """Write everything that is kept of the person behind a client, as JSON, and its files into a folder."""
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company)
    found = json.dumps(road.person_data(client), ensure_ascii=False, indent=2)
    if files is not None:
        files.mkdir(parents=True, exist_ok=True)
        if any(files.iterdir()):
            raise typer.BadParameter("the folder is not empty", param_hint="--files")
        for content in road.files_of_person(client).values():
            with zipfile.ZipFile(io.BytesIO(content)) as bundle:
                bundle.extractall(files)
        say(f"Files written to {files}.")
    if to is None:
        typer.echo(found)
    else:
        to.write_text(found + "\n", encoding="utf-8")
        say(f"Written to {to}.")


@person.command()
def erase(
    client: ClientCode,
    company: CompanyName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Forget the person behind a client in every service; accounts, promises and the fact of each message stay.

    This cannot be taken back. What accounting says of the client later is left aside until ``person admit``.
    """
    from cli.main_job import road_of, show_result

    if not yes:
        typer.confirm(f"Erase the personal data of {client} in {company} for good?", abort=True)
    show_result(road_of(data_dir_of(data), company).tell("erase-person", client_id=client), as_json=as_json)


@person.command()
def admit(client: ClientCode, company: CompanyName, data: DataDir = None, as_json: AsJson = False) -> None:
    """Keep again what accounting says of a client whose person was erased."""
    from cli.main_job import road_of, show_result

    show_result(road_of(data_dir_of(data), company).tell("admit-person", client_id=client), as_json=as_json)
