"""``explain``: why an entry or a client is reminded or not, as of any day."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.app import AsJson, DataDir, app, data_dir_of
from cli.app_work import AsOf, CompanyName


@app.command()
def explain(
    company: CompanyName,
    client: Annotated[
        str | None,
        typer.Option(help="The client's code in accounting: every open entry of it.", show_default=False),
    ] = None,
    entry: Annotated[
        str | None,
        typer.Option(help="One entry: its id, or with --client its piece number.", show_default=False),
    ] = None,
    as_of: AsOf = None,
    lang: Annotated[str, typer.Option("--lang", help="fr or en.")] = "fr",
    history: Annotated[
        bool, typer.Option("--history/--no-history", help="What happened until that day as well.")
    ] = True,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say why an entry is, is not, or will next be reminded: its past, where it stands, what comes next.

    A past day is told as it was known at its end; a later one as if nothing changed. Every sentence names its rule
    of docs/rules.md.
    """
    import json

    from cli.explaining import ask, show
    from cli.main_job import road_of

    if client is None and entry is None:
        raise typer.BadParameter("name a --client or an --entry")
    if lang not in ("fr", "en"):
        raise typer.BadParameter("--lang is fr or en")
    language: Literal["fr", "en"] = "fr" if lang == "fr" else "en"
    road = road_of(data_dir_of(data), company)
    try:
        answer = ask(road, client, entry, as_of.date() if as_of else None, language, history=history)
    finally:
        road.close()
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        show(answer, language)
