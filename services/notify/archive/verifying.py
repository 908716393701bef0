"""A company's archive, walked from its first record to its last, with what it has the digests of."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.archive.chain import (
    BEGINNING,
    CONTENT_EXPIRED,
    ERASED,
    PERSON_EXPIRED,
    WITH_CONTENT,
    Broken,
    Record,
    Walk,
)

AT_A_TIME = 2000
LOST = ("person-missing", "content-missing")
"""What an erasure explains."""

ERASURES = text("select client_id, max(n) as n from archive where company = :company and kind = :kind group by 1")
EXPIRIES = text(
    "select client_id, max((body::jsonb -> 'facts' ->> 'until')::bigint) as n from archive"
    " where company = :company and kind = :kind group by 1"
)
EXPIRED = text(
    "select a.n from archive a where a.company = :company and a.n = any(:ns) and exists (select from archive b"
    " where b.company = a.company and b.action_id = a.action_id and b.kind = :kind and b.n > a.n)"
)
"""What was sent by these had its time."""
RECORDS = text("""
    select a.company, a.n, a.kind, a.client_id, a.action_id, a.body, a.hash, person.body as person
    from archive a left join archive_person person using (company, n)
    where a.company = :company and a.n > :after and a.n <= :until order by a.n limit :most
""")
ENDS = text("""
    select (select max(n) from archive where company = :company) as last, head.n, head.hash
    from (select) as one left join archive_head head on head.company = :company
""")
"""In one statement, since a record and its place at the head are sealed together."""
LATER = text("""
    select a.n from archive a where a.company = :company and a.n = any(:ns) and exists (
        select from archive b where b.company = a.company and b.action_id = a.action_id and b.kind = a.kind
            and b.n > a.n)
""")
"""What was sent once more under the same name: what is kept is the last of it."""
CONTENTS = {
    "email_sent": text("""
        select action_id, encode(sha256(raw), 'hex') as sha256 from message
        where company = :company and action_id = any(:action_ids) and raw is not null
    """),
    "letter_prepared": text("""
        select action_id, encode(sha256(pdf), 'hex') as sha256 from letter
        where company = :company and action_id = any(:action_ids) and pdf is not null
    """),
}
FILES = text("""
    select sha256 from attachment where company = :company and sha256 = any(:digests)
        and encode(sha256(content), 'hex') = sha256
""")


@dataclass(slots=True)
class Verified:
    """``broken`` is the first record that is not as it was sealed; the counts are of those before it.

    ``contents`` were compared with what is kept; ``contents_erased`` went with their person, and the personal part
    of ``erased`` records did.
    """

    records: int = 0
    contents: int = 0
    contents_erased: int = 0
    erased: int = 0
    head: str | None = None
    """The hash of the last record: who wrote it down before can tell whether the chain was made anew."""
    broken: Broken | None = None


async def verify(
    tx: AsyncConnection, company: str, *, known: tuple[int, str] | None = None, contents: bool = True
) -> Verified:
    """Walk the whole chain. ``known`` is a number and a hash that somebody wrote down before: of a collection
    file, of an earlier verification. Without ``contents`` only the records are checked, not what was sent."""
    # what is sealed from here on is left to the next walk, or it would look as if the chain ended too early
    end = (await tx.execute(ENDS, {"company": company})).one()
    ends = (0, BEGINNING) if end.n is None else (end.n, end.hash)
    walk = Walk(company, *await _gone(tx, company))
    done = Verified()
    while page := await _page(tx, company, walk.n, end.last or 0):
        before = replace(walk)
        found = await _walked(tx, walk, page, known, contents=contents)
        if found.broken and found.broken.why in LOST:
            # a person that is erased meanwhile has left nothing, and that is no change
            erasures, expiries = await _gone(tx, company)
            walk = replace(before, erasures=erasures, expiries=expiries)
            if (walk.erasures, walk.expiries) != (before.erasures, before.expiries):
                found = await _walked(tx, walk, page, known, contents=contents)
        done.contents += found.contents
        done.contents_erased += found.contents_erased
        done.records = found.broken.n - 1 if found.broken else page[-1].n
        if found.broken:
            done.broken = found.broken
            return done
    if ends != (walk.n, walk.hash) or (known is not None and known[0] > walk.n):
        done.broken = Broken(walk.n + 1, "missing")
    done.head = walk.hash if walk.n else None
    done.erased = walk.erased
    return done


async def _walked(
    tx: AsyncConnection, walk: Walk, page: Sequence[Record], known: tuple[int, str] | None, *, contents: bool
) -> Verified:
    """Some records in their order; afterwards the walk stands on the last that is sound."""
    found = Verified(broken=next(_broken(walk, page, known), None))
    if contents:
        sound = [record for record in page if found.broken is None or record.n < found.broken.n]
        found.contents, found.contents_erased, wrong = await _compare(tx, walk.company, walk, sound)
        found.broken = wrong or found.broken
    return found


async def _gone(tx: AsyncConnection, company: str) -> tuple[dict[str, int], dict[str, int]]:
    """By client, the last record that tells of an erasure, and up to which one what is personal had its time."""
    erased = await tx.execute(ERASURES, {"company": company, "kind": ERASED})
    expired = await tx.execute(EXPIRIES, {"company": company, "kind": PERSON_EXPIRED})
    return {row.client_id: row.n for row in erased}, {row.client_id: row.n for row in expired}


async def _page(tx: AsyncConnection, company: str, after: int, until: int) -> list[Record]:
    rows = await tx.execute(RECORDS, {"company": company, "after": after, "until": until, "most": AT_A_TIME})
    return [Record(**row._mapping) for row in rows]


def _broken(walk: Walk, page: Sequence[Record], known: tuple[int, str] | None) -> Iterator[Broken]:
    for record in page:
        broken = walk.check(record)
        if broken is None and known is not None and record.n == known[0] and record.hash != known[1]:
            broken = Broken(record.n, "not-the-known-hash", record.kind, record.client_id, record.action_id)
        if broken is not None:
            yield broken
            return


async def _compare(
    tx: AsyncConnection, company: str, walk: Walk, records: Sequence[Record]
) -> tuple[int, int, Broken | None]:
    """Compared, lost by an erasure, and the first whose content is not what was sealed."""
    sealed: dict[int, dict[str, Any]] = {}
    for record in records:
        content = json.loads(record.body)["content"] if record.kind in WITH_CONTENT else None
        if content and not content.get("erased"):
            sealed[record.n] = content
    if not sealed:
        return 0, 0, None
    asked = {"company": company, "ns": list(sealed)}
    for n in await tx.scalars(LATER, asked):
        del sealed[n]
    of = [record for record in records if record.n in sealed]
    kept: dict[tuple[str, object], str] = {}
    for kind, query in CONTENTS.items():
        ids = [record.action_id for record in of if record.kind == kind]
        rows = await tx.execute(query, {"company": company, "action_ids": ids})
        kept |= {(kind, row.action_id): row.sha256 for row in rows}
    files = await _files(tx, company, {file for content in sealed.values() for file in content.get("files", ())})
    compared = lost = 0
    expired = set(await tx.scalars(EXPIRED, asked | {"kind": CONTENT_EXPIRED}))
    for record in of:
        found, content = kept.get((record.kind, record.action_id)), sealed[record.n]
        if found is None and (walk.is_erased(record) or record.n in expired):
            lost += 1
            continue
        compared += 1
        why = None
        if found is None or not set(content.get("files", ())) <= files:
            why = "content-missing"
        elif found != content["sha256"]:
            why = "content-changed"
        if why:
            broken = Broken(record.n, why, record.kind, record.client_id, record.action_id)
            return compared, lost, broken
    return compared, lost, None


async def _files(tx: AsyncConnection, company: str, digests: Collection[str]) -> set[str]:
    if not digests:
        return set()
    return set(await tx.scalars(FILES, {"company": company, "digests": sorted(digests)}))
