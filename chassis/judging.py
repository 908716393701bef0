"""Rows that come from elsewhere, judged as the doors of their service judge what people enter there.

A company's export is an open format, so anybody can write one: a text, an address or a kind of file in it was
perhaps never seen by any door. ``python -m services.<name> judge`` first writes ``{"tables": [...]}``, those that
it judges; it then reads ``{"table", "line", "row"}`` from its standard input, a JSON object per line, and writes
``{"table", "line", "column", "why"}`` for what no door would have let in. It needs no server. A row that cannot be
judged is refused: whoever writes one chooses what it makes a judge stumble over.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import BaseModel, ValidationError

from chassis.guard import AddressRefused, Network, check_host

if TYPE_CHECKING:
    from chassis.service import Service

MOST_TOLD = 20
LONGEST_TOLD = 300
"""Characters of a column, and of why: the rest is what somebody wrote there."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a column; of one that holds JSON, with the member named behind a point."""

    column: str
    why: str


Judge = Callable[[Row], Iterable[Fault]]


def unfit(model: type[BaseModel], values: Any, column: str = "") -> Iterator[Fault]:
    """What keeps values from being a body of this door. ``column`` holds them; left out, each is a column."""
    try:
        model.model_validate(values)
    except ValidationError as invalid:
        for one in invalid.errors(include_input=False, include_url=False, include_context=False):
            place = ".".join(str(part) for part in ((column,) if column else ()) + one["loc"])
            yield Fault(place or column, one["msg"].removeprefix("Value error, "))


def inside(host: object, port: object, allowed: Sequence[Network], setting: str, column: str) -> Iterator[Fault]:
    """A host that no company may have us connect to. ``setting`` is the one by which the operator allows it."""
    if not isinstance(host, str):
        return  # told by the model of the door
    # any port will do to look up a host, and one that is written as a text is a number to the door
    known = port if isinstance(port, int) and 0 < port < 1 << 16 else 0
    try:
        asyncio.run(check_host(host, known, allowed))
    except AddressRefused as refused:
        yield Fault(column, f"{refused}; set {setting} for this command as for the service, if it may be there")


def columns_of(model: type[BaseModel], row: Row, *others: str) -> dict[str, Any]:
    """The columns of a row that a door takes as members, by name."""
    return {name: row[name] for name in (*model.model_fields, *others) if name in row}


def judge_command(service: Service, source: Iterable[bytes] | None = None, target: TextIO | None = None) -> int:
    """Exit code 1 when something is wrong; the first faults are told."""
    # bytes, since a text would also end a line at a carriage return, which JSON has between its tokens
    lines, out = source or sys.stdin.buffer, target or sys.stdout
    _tell(out, {"tables": sorted(service.judged)})
    told = 0
    for line in lines:
        if told >= MOST_TOLD:
            continue  # read to its end, so that the writer does not meet a closed pipe
        given = json.loads(line)
        where = {"table": given["table"], "line": given["line"]}
        for fault in islice(_faults(service.judged[given["table"]], given["row"]), MOST_TOLD - told):
            told += 1
            _tell(out, {**where, "column": fault.column[:LONGEST_TOLD], "why": fault.why[:LONGEST_TOLD]})
    return 1 if told else 0


def _tell(out: TextIO, told: Mapping[str, Any]) -> None:
    out.write(json.dumps(told) + "\n")
    out.flush()


def _faults(judge: Judge, row: Row) -> Iterator[Fault]:
    try:
        yield from judge(row)
    except Exception as strange:  # noqa: BLE001 - told, and the row refused
        yield Fault("", f"it is no row of this table ({type(strange).__name__}: {strange})")
