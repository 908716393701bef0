"""A daily report leaves once, by the number that whoever asks gives it (docs/adr/0062).

That it is leaving is committed before anything leaves, and what became of it afterwards. Asked again with the same
number nothing is guessed: what left is told, what surely stayed may leave now, and what nobody can know any more,
because its process ended in between, is in doubt and never leaves again.
"""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

State = Literal["sent", "stayed", "under_way", "in_doubt"]

LEASE_SECONDS = 60.0
"""How long one that is leaving is waited for: longer than its mail server is given."""
KEPT_DAYS = 40
"""A number is asked for again within its day; a mail server's words may name whom the report was for."""

CLAIM = text(
    """
    insert into cash_report as known (company, report_id, message_id, state, until)
    values (:company, :report_id, :message_id, 'under_way', now() + make_interval(secs => :lease))
    on conflict (company, report_id) do update set state = excluded.state, until = excluded.until, words = '',
        message_id = excluded.message_id, changed_at = now()
    where known.state = 'stayed'
    returning report_id
    """
)
DOUBTED = text(
    "update cash_report set state = 'in_doubt', changed_at = now()"
    " where company = :company and report_id = :report_id and state = 'under_way' and until < now()"
)
KNOWN = text("select state, words from cash_report where company = :company and report_id = :report_id")
ENDED = text(
    "update cash_report set state = :state, words = :words, changed_at = now()"
    " where company = :company and report_id = :report_id and state in ('under_way', 'in_doubt')"
)
"""Whoever sent it knows better than whoever doubted it meanwhile."""
FORGET = text("delete from cash_report where changed_at < now() - make_interval(days => :days)")


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a report; ``words`` are the mail server's or the network's."""

    state: State
    words: str


async def claim(tx: AsyncConnection, company: str, report_id: UUID, message_id: str) -> Standing | None:
    """``None`` where it may leave now, once this is committed, and for who asks alone; else what became of it."""
    named = {"company": company, "report_id": report_id}
    await tx.execute(DOUBTED, named)
    claimed = await tx.execute(CLAIM, named | {"message_id": message_id, "lease": LEASE_SECONDS})
    if claimed.one_or_none() is not None:
        return None
    row = (await tx.execute(KNOWN, named)).one()
    return Standing(row.state, row.words)


async def end(tx: AsyncConnection, company: str, report_id: UUID, standing: Standing) -> None:
    """Write down what became of a report that was claimed."""
    told = {"state": standing.state, "words": standing.words}
    await tx.execute(ENDED, {"company": company, "report_id": report_id} | told)


async def forget(tx: AsyncConnection) -> None:
    """Those that nobody asks for any more, of every company."""
    await tx.execute(FORGET, {"days": KEPT_DAYS})
