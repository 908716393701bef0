"""Whether the services move or are at rest, as their own tables tell."""

from __future__ import annotations

from typing import Any

import psycopg

SPEAKING = ("sync", "ledger", "dunning", "notify")
LISTENING = ("ledger", "dunning", "notify", "reporting")
WORKING = ("sync", "notify")

HEADS = " union all ".join(f"select '{name}' as speaker, p, seq from {name}.partition_head" for name in SPEAKING)
PROGRESS = " union all ".join(
    [f"select seq from {name}.partition_head" for name in SPEAKING]
    + [f"select pseq from {name}.checkpoint" for name in LISTENING]
    + ["select count(*) from notify.job where status = 'done'"]
)
UNHEARD = " union all ".join(
    f"select 1 from head join (select distinct speaker from {name}.checkpoint) known using (speaker)"
    f" left join {name}.checkpoint c using (speaker, p) where head.seq > coalesce(c.pseq, 0)"
    for name in LISTENING
)
UNDONE = " union all ".join(
    f"select 1 from {name}.job where status in ('ready', 'running', 'sending')" for name in WORKING
)


def progress_of(dsn: str) -> int | None:
    """A number that grows with every event said or applied and every message sent; ``None`` without PostgreSQL."""
    found = _asked(dsn, f"select sum(seq) from ({PROGRESS}) moved")
    return int(found[0]) if found else None


def is_at_rest(dsn: str) -> bool:
    """Everything that was said is heard by all who listen, and no job waits. False without PostgreSQL."""
    found = _asked(dsn, f"with head as ({HEADS}) select not exists ({UNHEARD}) and not exists ({UNDONE})")
    return bool(found and found[0])


def _asked(dsn: str, query: str) -> tuple[Any, ...] | None:
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            return connection.execute(query.encode()).fetchone()
    except psycopg.OperationalError:
        return None
