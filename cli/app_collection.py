"""``collection-file``: what a bailiff or a court needs of a client, in one ZIP (rules 8.11, 19.7)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.app import DataDir, app, data_dir_of, say
from cli.app_work import AsOf, CompanyName


class Language(StrEnum):
    FR = "fr"
    EN = "en"


@app.command("collection-file")
def collection_file(
    client: Annotated[str, typer.Argument(help="The client's code in accounting.", show_default=False)],
    company: CompanyName,
    to: Annotated[Path, typer.Option("--to", help="The ZIP to write.", dir_okay=False, show_default=False)],
    language: Annotated[Language, typer.Option("--language", help="Of the index and the account.")] = Language.FR,
    stop: Annotated[
        bool, typer.Option("--stop/--no-stop", help="Stop the client and its open entries: nobody reminds them.")
    ] = True,
    as_of: AsOf = None,
    data: DataDir = None,
) -> None:
    """Write the collection file of a client: index, account, invoices, what was sent with its proof."""
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company, as_of.date() if as_of else None)
    wanted = {"client_id": client, "language": language.value, "stop": stop}
    content = road.file("/collection-file", wanted)
    to.write_bytes(content)
    say(f"Written to {to}, {len(content)} bytes.{' The client is stopped.' if stop else ''}")
