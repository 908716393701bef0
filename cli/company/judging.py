"""An import judged row by row, before anything of it is taken in: that nothing is brought that no export tells,
and that what it holds would have been let in by the doors of its services.

Digests say that a file is as its maker wrote it; anybody can be the maker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from cli.company.bundle import Bundle
from cli.company.inventory import Table, tables
from cli.company.verifying import NOT_OF_COMPANIES
from cli.places import ROOT

JUDGES = ("notify", "sync")
"""Services that judge rows of theirs (``python -m services.<name> judge``)."""
MOST_TOLD = 20
NOT_ENDED = """
    select nth from (
        select row_number() over () as nth, t.* from json_populate_recordset(null::{}, %s::json) t
    ) t where ({}) is not true order by nth limit 1
"""


class RowsRefused(Exception):
    """An import holds what no company may bring."""

    def __init__(self, wrong: Sequence[str]) -> None:
        super().__init__(
            f"nothing was taken in: {'; '.join(wrong)}. Mend it where the company came from and export it again; "
            "an export of ours that nobody touched is only refused for what was saved under older rules, or for a"
            " network that is closed here"
        )
        self.wrong = list(wrong)


def refuse_unfit(connection: psycopg.Connection[Any], bundle: Bundle) -> None:
    """Raises ``RowsRefused`` with file, line and column of what is wrong."""
    known = {f"rows/{table.schema}/{table.name}.jsonl": table for table in tables(connection)}
    wrong: list[str] = []
    for sentence in [*_not_handed_on(bundle, known), *_of_doors(bundle)]:
        wrong.append(sentence)
        if len(wrong) == MOST_TOLD:
            break
    if wrong:
        raise RowsRefused(wrong)


def refuse_under_way(
    connection: psycopg.Connection[Any], table: Table, name: str, rows: Sequence[str], before: int
) -> None:
    """Of work only what has ended is handed on: the rest would be carried out here. ``before``: rows above these
    in the file. Raises ``RowsRefused``."""
    if table.ended is None:
        return
    query = sql.SQL(NOT_ENDED).format(table.identifier, sql.SQL(table.ended[0]))
    found = connection.execute(query, [f"[{','.join(rows)}]"]).fetchone()
    if found is not None:
        raise RowsRefused([f"{name}, line {before + found[0]}: it holds {table.ended[1]}"])


def _not_handed_on(bundle: Bundle, known: dict[str, Table]) -> Iterator[str]:
    for name in bundle.named("rows/"):
        table = known.get(name)
        if name == NOT_OF_COMPANIES:
            continue
        if table is None:
            yield f"{name}: no company has such rows"
        elif (why := table.left_out) is not None:
            if bundle.manifest["files"][name]["lines"]:
                yield f"{name}: {table.full_name} is never handed on ({why})"
        elif table.emptied:
            for n, line in enumerate(bundle.lines(name), 1):
                row = json.loads(line)
                yield from (
                    f"{name}, line {n}, column {one}: no export tells a secret"
                    for one in table.emptied
                    if row.get(one) is not None
                )


def _of_doors(bundle: Bundle) -> Iterator[str]:
    """What the services' own doors would not have let in."""
    judges = [_Judge(service) for service in JUDGES]  # all at once: most of the time they start
    try:
        for judge in judges:
            yield from judge.judge(bundle)
    finally:
        for judge in judges:
            judge.end()


class _Judge:
    """A service that judges rows: a process of its own, since nothing here knows what is inside a service."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"services.{service}", "judge"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def judge(self, bundle: Bundle) -> Iterator[str]:
        """What is wrong. Raises ``RowsRefused`` when the service did not judge to its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        if not ready:
            raise RowsRefused([f"{self.service} ended with code {self.process.wait()} before it judged its rows"])
        faults = 0
        # hands over and listens at once: a pipe that nobody reads would hold both up for ever
        with ThreadPoolExecutor(1) as beside:
            handed = beside.submit(self._hand_over, bundle, json.loads(ready)["tables"])
            try:
                for told in map(json.loads, self.process.stdout):
                    faults += 1
                    column = f", column {told['column']}" if told["column"] else ""
                    yield f"rows/{self.service}/{told['table']}.jsonl, line {told['line']}{column}: {told['why']}"
                code = self.process.wait()
                handed.result()
            finally:
                self.process.kill()  # where enough was heard
        # a judge that breaks down ends with 1 as well, and has told nothing of the row that it broke down over
        if code != int(faults > 0):
            raise RowsRefused([f"{self.service} ended with code {code} while it judged"])

    def _hand_over(self, bundle: Bundle, names: Sequence[str]) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        with suppress(BrokenPipeError), stdin:  # whoever stopped reading has not judged: its exit code tells
            for table in names:
                name = f"rows/{self.service}/{table}.jsonl"
                for n, line in enumerate(bundle.lines(name) if name in bundle.manifest["files"] else (), 1):
                    stdin.write(b'{"table": "%b", "line": %d, "row": %b}\n' % (table.encode(), n, line))

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.process.wait()
