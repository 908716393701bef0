"""Commands about the documents of entries: ``documents missing``, ``documents upload``."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import CompanyName

documents = typer.Typer(help="Invoices as PDF: which are missing, and a ZIP or a folder of them sent in.")
app.add_typer(documents, name="documents")


@documents.command()
def missing(
    company: CompanyName,
    unlettered: Annotated[bool, typer.Option("--unlettered", help="Leave out what is settled.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Leave out what was booked before.", show_default=False),
    ] = None,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the invoices and credit notes without a document: entry, client, invoice number, date, amount."""
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company)
    found = list(road.missing_documents(unlettered=unlettered, since=since.date() if since else None))
    if as_json:
        typer.echo(json.dumps({"entries": found}, ensure_ascii=False))
        return
    for entry in found:
        told = (entry[name] for name in ("entry_id", "client_id", "invoice_number", "entry_date", "amount"))
        typer.echo("\t".join(map(str, told)))
    say(f"{len(found)} without a document.")


@documents.command()
def upload(
    source: Annotated[
        Path,
        typer.Argument(
            help="A ZIP with its metadata.json, or a folder of PDFs: with a metadata.json of its own, else each"
            " named as its invoice (FA-2026-0042.pdf).",
            exists=True,
            show_default=False,
        ),
    ],
    company: CompanyName,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Attach PDFs to entries; the same again changes nothing. The exit code is 1 when one was refused."""
    from cli.documents import FolderUnreadable, upload_all
    from cli.main_job import road_of

    try:
        results = upload_all(road_of(data_dir_of(data), company), source, say)
    except FolderUnreadable as unreadable:
        say(f"{unreadable}.")
        raise typer.Exit(1) from unreadable
    refused = [one for one in results if one["status"] == "refused"]
    counts = {status: sum(one["status"] == status for one in results) for status in ("attached", "known")}
    if as_json:
        typer.echo(json.dumps({**counts, "refused": len(refused), "results": results}, ensure_ascii=False))
    else:
        for one in refused:
            remedy = f" {one['remedy']}" if one["remedy"] else ""
            typer.echo(f"{one['file']}: {one['message']}{remedy}")
        say(f"{counts['attached']} attached, {counts['known']} known before, {len(refused)} refused.")
    raise typer.Exit(1 if refused else 0)
