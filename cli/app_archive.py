"""Commands about the legal archive: ``archive list``, ``archive verify``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.app import AsJson, DataDir, app, data_dir_of, say
from cli.app_work import CompanyName
from cli.road import Json

archive = typer.Typer(help="The legal archive: what was sent, with its proof, in a chain that shows any change.")
app.add_typer(archive, name="archive")

PART = 1000
WITHIN_SECONDS = 3600
WHY = {
    "missing": "it is not there, or the chain ends before it",
    "changed": "it is not what its hash was made of",
    "unchained": "it does not follow the record before it",
    "relabelled": "its columns say something else than it does",
    "person-changed": "what it tells of a person was changed",
    "person-missing": "what it tells of a person is gone, without an erasure",
    "content-changed": "what was sent is not what is kept",
    "content-missing": "what was sent is not kept any more, without an erasure",
    "not-the-known-hash": "it has another hash than the one you know: the chain was made anew",
}


@archive.command("list")
def listed(
    client: Annotated[str, typer.Argument(help="The client's code in accounting.", show_default=False)],
    company: CompanyName,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List what is sealed of a client: number, day, kind, step, recipients or letter number, hash."""
    from cli.main_job import road_of

    road = road_of(data_dir_of(data), company)
    found: list[Json] = []
    while len(found) % PART == 0:
        after = found[-1]["n"] if found else 0
        asked = {"client_id": client, "after": after, "limit": PART}
        part = road.ask_of("notify", "GET", "/archive", params=asked)["records"]
        found += part
        if not part:
            break
    if as_json:
        typer.echo(json.dumps({"records": found}, ensure_ascii=False))
        return
    for one in found:
        person = one["person"] or {}
        whom = person.get("recipients") or person.get("address") or person.get("registered_number") or ""
        to = ", ".join(whom) if isinstance(whom, list) else whom
        told = (one["n"], one["as_of"], one["kind"], one["facts"].get("step", ""), to, one["hash"])
        typer.echo("\t".join(map(str, told)))
    say(f"{len(found)} records.")


@archive.command()
def verify(
    company: CompanyName,
    known: Annotated[
        str | None,
        typer.Option(
            "--known", metavar="N:HASH", help="A record written down before; it must still have this hash."
        ),
    ] = None,
    contents: Annotated[
        bool, typer.Option("--contents/--no-contents", help="Compare what was sent as well, which takes longest.")
    ] = True,
    data: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Walk a company's archive and name the first record that is not as it was sealed; then the exit code is 1."""
    from cli.main_job import road_of

    asked = {"known": _known(known), "contents": contents}
    road = road_of(data_dir_of(data), company)
    done = road.ask_of("notify", "POST", "/archive/verify", json=asked, timeout=WITHIN_SECONDS)
    if as_json:
        typer.echo(json.dumps(done))
    else:
        compared = f", {done['contents']} contents compared" if contents else ""
        say(f"{done['records']} records are as they were sealed{compared}, {done['erased']} of erased persons.")
        if done["head"]:
            say(f"The last one: {done['records']}:{done['head']}")
    if (broken := done["broken"]) is not None:
        if not as_json:
            what = " ".join(filter(None, (broken["kind"], broken["client_id"])))
            say(f"Record {broken['n']} {what and f'({what}) '}is broken: {WHY[broken['why']]}.")
        raise typer.Exit(1)


def _known(written: str | None) -> Json | None:
    if written is None:
        return None
    number, _, hash_ = written.partition(":")
    if not number.isdecimal() or len(hash_) != 64:
        raise typer.BadParameter("write it as N:HASH, as verify shows the last record", param_hint="--known")
    return {"n": int(number), "hash": hash_}
