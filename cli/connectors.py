"""Commands around connectors to live bases: run the agent, give it a token, make a base for trials."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

from cli.joining import servers

KEY_VARIABLE = "RELANCE_TOKEN_PRIVATE_KEY_FILE"


def run_agent(configuration: Path) -> int:
    """Runs ``python -m services.sync.agent`` in the foreground; answers its exit code."""
    from cli.joining import run_process

    return run_process([sys.executable, "-P", "-m", "services.sync.agent", str(configuration)], {})


def make_token(data_dir: Path, company: str, name: str, days: int) -> str:
    """A token for one company, signed with the key of the environment, else with that of the data directory."""
    from chassis.auth import mint, read_key

    file = os.environ.get(KEY_VARIABLE)
    if file:
        return mint(read_key(Path(file)), f"connector:{name}", [company], "connector", minutes=days * 1440)
    with servers(data_dir) as stack:
        return mint(
            read_key(stack.private_key_file), f"connector:{name}", [company], "connector", minutes=days * 1440
        )


def make_base(data_dir: Path, schema: str, entries: int) -> tuple[int, Path]:
    """Fills a base on the server of the data directory; answers its customer lines, and the file that holds its
    address."""
    import psycopg

    from cli.sage_base.filling import fill

    with servers(data_dir) as stack:
        with psycopg.connect(_dsn(stack.superuser_url)) as connection:
            filled = fill(connection, schema, entries)
        file = data_dir / f"{schema}.address"
        file.touch(mode=0o600)
        file.write_text(stack.superuser_url + "\n", encoding="utf-8")
    return filled.lines, file


def change_base(data_dir: Path, schema: str, changes: int, seed: int) -> dict[str, int]:
    """Changes a base as accountants do; answers how many of each kind."""
    import psycopg
    from psycopg import sql

    from cli.sage_base.changing import Accountant

    with servers(data_dir) as stack, psycopg.connect(_dsn(stack.superuser_url)) as connection:
        connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
        row = connection.execute('select max("cbModification") from "F_ECRITUREC"').fetchone()
        assert row is not None
        return Accountant(connection, Random(seed), row[0] + timedelta(hours=1)).make(changes)


def _dsn(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
