"""An export judged without any server: whether it is whole, as it was written, and makes sense."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from cli.company.bundle import MANIFEST, Bundle
from contracts.registry import EVENTS
from contracts.subjects import NOBODY, SPEAKERS, partition_of

BEGINNING = "0" * 64
SLUG = re.compile(r"[a-z0-9_-]{1,32}")
NOT_OF_COMPANIES = "rows/console/account.jsonl"
"""People are of no company; their memberships are."""
MOST_TOLD = 20


class BundleBroken(Exception):
    """An export is not as it was written."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(f"the export is broken: {'; '.join(wrong)}. Fetch it again, or export once more")
        self.wrong = wrong


@dataclass
class Verified:
    """``wrong`` names the first things that are not as they should be; the export is good when there are none."""

    company: str
    manifest_sha256: str
    events: int = 0
    rows: int = 0
    files: int = 0
    archive_records: int = 0
    unknown_types: set[str] = field(default_factory=set)
    """Events that this version has no model of: carried, and not looked into."""
    wrong: list[str] = field(default_factory=list)


def verify(bundle: Bundle) -> Verified:
    """Digests and counts of every file, every event against its contract, the archive's chain to its head."""
    told = bundle.manifest
    found = Verified(bundle.company, bundle.manifest_sha256)
    for sentence in _judged(bundle, told, found):
        found.wrong.append(sentence)
        if len(found.wrong) >= MOST_TOLD:
            break
    return found


def refuse_broken(bundle: Bundle) -> Verified:
    """Raises ``BundleBroken``."""
    found = verify(bundle)
    if found.wrong:
        raise BundleBroken(found.wrong)
    return found


def _judged(bundle: Bundle, told: dict[str, Any], found: Verified) -> Iterator[str]:
    there = set(bundle.names()) - {MANIFEST}
    named = told["files"]
    if not SLUG.fullmatch(bundle.company) or bundle.company == NOBODY:
        yield f"{bundle.company!r} is no company's slug"
    yield from (f"{name} is missing" for name in sorted(named.keys() - there))
    yield from (f"{name} is not named by the manifest" for name in sorted(there - named.keys()))
    whole = True
    for name in sorted(there & named.keys()):
        digest, size = bundle.digest_of(name)
        if (digest, size) != (named[name]["sha256"], named[name]["bytes"]):
            whole = False
            yield f"{name} is not what was written ({digest[:12]}… instead of {named[name]['sha256'][:12]}…)"
        found.files += name.startswith("files/")
    if not whole or named.keys() - there:
        return  # what it holds is not looked at: it is not the export
    yield from _events(bundle, told, found)
    for name in bundle.named("rows/"):
        found.rows += named[name]["lines"]
        if name != NOT_OF_COMPANIES:
            yield from _of_others(bundle, name)
    for table, rows in told["rows"].items():
        schema, _, name = table.partition(".")
        if named.get(f"rows/{schema}/{name}.jsonl", {}).get("lines") != rows:
            yield f"{table}: the manifest tells of {rows} rows"
    yield from _archive(bundle, told, found)


def _of_others(bundle: Bundle, name: str) -> Iterator[str]:
    """Whoever hands an export in could otherwise write into the books of a company that is there."""
    for n, line in enumerate(bundle.lines(name), 1):
        company = json.loads(line).get("company")
        if company != bundle.company:
            yield f"{name}, line {n}: it is of company {company}"


def _events(bundle: Bundle, told: dict[str, Any], found: Verified) -> Iterator[str]:
    ids: set[str] = set()
    for speaker in SPEAKERS:
        count = 0
        for name in bundle.named(f"events/{speaker}/"):
            last = 0
            for line in bundle.lines(name):
                event = json.loads(line)
                count += 1
                where = f"{name}, number {event['number']}"
                if event["number"] <= last:
                    yield f"{where}: it comes after number {last}"
                last = event["number"]
                if event["event_id"] in ids:
                    yield f"{where}: {event['event_id']} was said twice"
                ids.add(event["event_id"])
                yield from (f"{where}: {wrong}" for wrong in _misplaced(bundle.company, name, event))
                yield from (f"{where}: {wrong}" for wrong in _unlike(speaker, event, found))
        if count != told["events"].get(speaker, 0):
            yield f"{speaker}: {count} events, the manifest tells of {told['events'].get(speaker, 0)}"
        found.events += count


def _misplaced(company: str, name: str, event: dict[str, Any]) -> Iterator[str]:
    if event["company"] != company:
        yield f"it is of company {event['company']}"
    if f"/p{event['p']:02d}." not in name:
        yield f"it is of partition {event['p']}"
    if event["client_id"] is not None and partition_of(company, event["client_id"]) != event["p"]:
        yield f"client {event['client_id']} has its events in another partition"


def _unlike(speaker: str, event: dict[str, Any], found: Verified) -> Iterator[str]:
    name = f"relance.{speaker}.{event['type']}.v{event['major']}"
    model = EVENTS.get(name)
    if model is None:
        found.unknown_types.add(name)
        return
    try:
        model.model_validate(event["body"])
    except ValidationError as unlike:
        fields = ", ".join(".".join(map(str, one["loc"])) for one in unlike.errors())
        yield f"{name} does not fit its contract ({fields})"


def _archive(bundle: Bundle, told: dict[str, Any], found: Verified) -> Iterator[str]:
    """The chain from its first record to the head that the manifest tells, and what it has the digests of."""
    persons = {row["n"]: row["body"] for row in map(json.loads, _rows(bundle, "notify", "archive_person"))}
    contents = _contents(bundle)
    gone = _gone(bundle)
    n, previous = 0, BEGINNING
    for row in map(json.loads, _rows(bundle, "notify", "archive")):
        body = json.loads(row["body"])
        where = f"archive, record {row['n']}"
        if row["n"] != n + 1:
            yield f"{where}: record {n + 1} is missing"
        if _digest(row["body"]) != row["hash"]:
            yield f"{where}: it is not what its hash was made of"
        if body["previous"] != previous:
            yield f"{where}: it does not follow the record before it"
        is_erased = gone.erased.get(row["client_id"], 0) > row["n"]
        person = persons.get(row["n"])
        if person is not None and _digest(person) != body["person"]:
            yield f"{where}: what it tells of a person was changed"
        had_its_time = row["n"] <= gone.persons_until.get(row["client_id"], 0)
        if person is None and body["person"] is not None and not (is_erased or had_its_time):
            yield f"{where}: what it tells of a person is missing"
        kept = contents.get((row["kind"], row["action_id"]))
        sealed = (body["content"] or {}).get("sha256")
        had_its_time = gone.contents.get(row["action_id"], 0) > row["n"]
        if sealed and kept is None and not (is_erased or had_its_time):
            yield f"{where}: what was sent is missing"
        n, previous = row["n"], row["hash"]
        found.archive_records += 1
    head = told["archive"] or {"records": 0, "hash": BEGINNING}
    if (n, previous) != (head["records"], head["hash"]):
        yield f"archive: it ends with record {n}, the manifest tells of {head['records']}"


@dataclass
class _Gone:
    """What may be missing, as sealed records of the archive tell: by client the record of its erasure, and up to
    which one what is personal had its time; by action the record of its content's end."""

    erased: dict[str, int] = field(default_factory=dict)
    persons_until: dict[str, int] = field(default_factory=dict)
    contents: dict[str, int] = field(default_factory=dict)


def _gone(bundle: Bundle) -> _Gone:
    gone = _Gone()
    for row in map(json.loads, _rows(bundle, "notify", "archive")):
        match row["kind"]:
            case "person_erased":
                gone.erased[row["client_id"]] = row["n"]
            case "person_expired":
                until = int(json.loads(row["body"])["facts"]["until"])
                gone.persons_until[row["client_id"]] = max(until, gone.persons_until.get(row["client_id"], 0))
            case "content_expired":
                gone.contents[row["action_id"]] = row["n"]
    return gone


def _contents(bundle: Bundle) -> dict[tuple[str, str], str]:
    """What left for each action, by the kind of record that seals it."""
    found = {}
    for kind, table, column in (("email_sent", "message", "raw"), ("letter_prepared", "letter", "pdf")):
        for row in map(json.loads, _rows(bundle, "notify", table)):
            if row[column] is not None:
                found[kind, row["action_id"]] = row[column]
    return found


def _rows(bundle: Bundle, schema: str, table: str) -> Iterator[bytes]:
    name = f"rows/{schema}/{table}.jsonl"
    return bundle.lines(name) if name in bundle.manifest["files"] else iter(())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
