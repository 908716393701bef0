"""Commands about what others made: ``audit``, ``sbom``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, app, say


@app.command()
def audit(
    release: Annotated[
        bool, typer.Option("--release", help="A database that could not be asked is a failure, not a warning.")
    ] = False,
    osv: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask this server, which answers as api.osv.dev does.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask what is known against the pinned packages, those of Python and those of the pages.

    What deploy/accepted-vulnerabilities.yaml accepts until a day is told and does not count. The exit code is 1
    when anything counts; with --release also when a database could not be asked.
    """
    from chassis import clock
    from cli.auditing import AcceptanceUnclear
    from cli.auditing import audit as audited

    try:
        found = audited(clock.now().date(), osv=osv)
    except AcceptanceUnclear as unclear:
        say(str(unclear))
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str))
    else:
        for title, told in (
            ("KNOWN", found.findings),
            ("accepted", found.accepted),
            ("minor", found.minor),
            ("accepted no longer", found.expired),
            ("accepted, and not known any more: take it out", found.unneeded),
        ):
            for one in told:
                say(f"{title}: {one}")
    for database, why in found.silent.items():
        say(f"WARNING: nothing is known of {database}, since the database could not be asked: {why}")
    if found.is_clean and found.is_complete:
        say("nothing that counts is known against any pinned package")
    raise typer.Exit(0 if found.is_clean and (found.is_complete or not release) else 1)


@app.command()
def sbom(
    folder: Annotated[Path, typer.Argument(help="Where the files are written.", file_okay=False)] = Path("sbom"),
    as_json: AsJson = False,
) -> None:
    """Write what each image is made of as CycloneDX: Python packages per service, and what the pages load.

    What the base of the images brings along is known only of an image: deploy/scan-images.sh --sbom FOLDER.
    """
    from cli.parts import PartsUnknown, write_parts

    try:
        written = write_parts(folder)
    except PartsUnknown as hindered:
        say(str(hindered))
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps([str(one) for one in written]))
    else:
        say(f"{len(written)} files in {folder}.")
