"""On which servers a command about every service works, and the four options that say so, written once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from cli.app import DataDir, data_dir_of

CredentialsFolder = Annotated[
    Path | None,
    typer.Option(help="Of `relance credentials`, for servers of one's own.", show_default=False, file_okay=False),
]
Postgres = Annotated[str, typer.Option(help="Of PostgreSQL, with --credentials.")]
Nats = Annotated[str, typer.Option(help="Of NATS, with --credentials.")]


@dataclass(frozen=True)
class Servers:
    """Those of a data directory, or servers of one's own: each field is an option of the command line."""

    data: DataDir = None
    credentials: CredentialsFolder = None
    postgres: Postgres = "postgres:5432"
    nats: Nats = "nats:4222"

    @property
    def data_dir(self) -> Path | None:
        """Whose servers are meant; ``None`` where they are one's own."""
        return None if self.credentials is not None else data_dir_of(self.data)

    @contextmanager
    def reached(self) -> Iterator[tuple[str, str]]:
        """PostgreSQL for who may read every log, and NATS for who may remove streams, as addresses. The servers
        of a data directory are started for as long as they are needed. Raises ``CredentialsMissing``."""
        from chassis.embedded_config import NATS_ADMIN
        from cli.credentials import Credentials
        from cli.joining import servers

        if self.credentials is not None:
            found = Credentials(self.credentials, postgres=self.postgres, nats=self.nats)
            found.check()
            yield found.superuser_url_at(self.postgres), found.nats_admin_url()
            return
        with servers(data_dir_of(self.data)) as stack:
            yield stack.superuser_dsn, stack.nats_url(NATS_ADMIN)


HERE = Servers()
"""Those of the default data directory."""


def on_servers(command: Callable[..., None]) -> Callable[..., None]:
    """The command whose parameter ``servers`` people give as the options of ``Servers``, at its place."""
    hints = get_type_hints(Servers, include_extras=True)
    options = [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )
        for one in fields(Servers)
    ]
    known = inspect.signature(command, eval_str=True).parameters.values()
    seen: list[inspect.Parameter] = []
    for one in known:
        seen += options if one.name == "servers" else [one.replace(kind=inspect.Parameter.KEYWORD_ONLY)]

    @wraps(command)
    def told(**given: Any) -> None:
        chosen = {one.name: given.pop(one.name) for one in options}
        command(servers=Servers(**chosen), **given)

    told.__signature__ = inspect.Signature(seen)  # type: ignore[attr-defined]
    told.__annotations__ = {one.name: one.annotation for one in seen}
    return told
