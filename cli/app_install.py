"""Commands that set up servers of one's own: ``credentials``, ``install``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.app import AsJson, app, say

Folder = Annotated[
    Path,
    typer.Argument(
        help="Where the files of services, PostgreSQL and NATS are; nobody else may read it.",
        file_okay=False,
        envvar="RELANCE_CREDENTIALS",
    ),
]
PostgresAddress = Annotated[str, typer.Option(help="Host and port by which services reach PostgreSQL.")]
Tls = Annotated[
    bool,
    typer.Option("--tls", help="PostgreSQL and NATS are reached by TLS; authorities are in /run/authorities."),
]
NatsAddress = Annotated[str, typer.Option(help="Host and port by which services reach NATS.")]


@app.command()
def credentials(
    folder: Folder = Path(".relance/credentials"),
    postgres: PostgresAddress = "postgres:5432",
    nats: NatsAddress = "nats:4222",
    kubernetes: Annotated[
        str | None,
        typer.Option(metavar="NAMESPACE", help="Print them as Secrets as well, for kubectl apply -f -."),
    ] = None,
    tls: Tls = False,
    name: Annotated[
        list[str] | None,
        typer.Option(help="With --tls: another name by which NATS is reached, from outside. May be said again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write passwords, addresses and keys as files, one folder per service, for docker-compose.yml and Kubernetes.

    What exists is kept: running it again changes nothing but addresses. With --tls, certificates for
    Docker Compose are made as well, and anew a year before they end; on Kubernetes cert-manager makes them.
    """
    from cli.certificates import NoKeyOfTheAuthority
    from cli.credentials import Credentials

    found = Credentials(folder, postgres=postgres, nats=nats, tls=tls)
    if kubernetes is not None:
        typer.echo(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": found.kubernetes(kubernetes)}, indent=1)
        )
        return
    written = found.write()
    try:
        made = found.certify(*(name or [])) if tls else []
    except NoKeyOfTheAuthority as hindered:
        say(str(hindered))
        raise typer.Exit(1) from None
    if as_json:
        told = {
            "folder": str(folder),
            "files": [str(one) for one in written],
            "certified": [str(one) for one in made],
        }
        typer.echo(json.dumps(told))
        return
    say(f"{len(written)} files in {folder}.")
    if made:
        say("The certificates are new: where PostgreSQL and NATS run already, start them again.")


@app.command()
def install(
    folder: Folder = Path(".relance/credentials"),
    postgres: PostgresAddress = "postgres:5432",
    nats: NatsAddress = "nats:4222",
    replicas: Annotated[int, typer.Option(help="How many servers keep each stream: 3 in production.")] = 1,
    wait: Annotated[float, typer.Option(help="Seconds to wait for PostgreSQL and NATS to answer.")] = 60,
    tls: Tls = False,
) -> None:
    """Make roles, schemas and streams on servers that run; those that exist are brought to the newest version."""
    from cli.credentials import CredentialsMissing
    from cli.installing import ServerSilent, prepare_servers

    try:
        steps = prepare_servers(folder, postgres=postgres, nats=nats, replicas=replicas, wait=wait, tls=tls)
        for done in steps:
            say(done)
    except (CredentialsMissing, ServerSilent) as hindered:
        say(str(hindered))
        raise typer.Exit(1) from None
