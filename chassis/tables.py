"""The chassis's own tables, the same in every service's schema. Never qualified: the search path says whose."""

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from contracts.subjects import PARTITIONS

if TYPE_CHECKING:
    from types import ModuleType

    from alembic.operations import Operations

metadata = MetaData()

INSTANT = DateTime(timezone=True)
NOW = text("now()")

event_log = Table(
    "event_log",
    metadata,
    Column("p", SmallInteger, nullable=False),
    Column("pseq", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False, server_default=text("uuidv7()")),
    Column("company", Text, nullable=False),
    Column("client_id", Text),
    Column("type", Text, nullable=False),
    Column("major", SmallInteger, nullable=False, server_default="1"),
    Column("as_of", Date, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
    Column("actor", Text, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("traceparent", Text),
    # json, not jsonb: kept byte for byte as it was said, and cheaper to take in
    Column("body", JSON, nullable=False),
    PrimaryKeyConstraint("p", "pseq"),
)

partition_head = Table(
    "partition_head",
    metadata,
    Column("p", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, server_default="0"),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("until", INSTANT, nullable=False, server_default=NOW),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("speaker", Text, nullable=False),
    Column("p", SmallInteger, nullable=False),
    # every message of p up to this stream sequence is applied
    Column("pos", BigInteger, nullable=False, server_default="0"),
    # the real guard: the last applied number of the partition
    Column("pseq", BigInteger, nullable=False, server_default="0"),
    # stream sequence of the message that carried pseq, and its event id
    Column("at", BigInteger, nullable=False, server_default="0"),
    Column("anchor", Uuid),
    PrimaryKeyConstraint("speaker", "p"),
)

partition_lease = Table(
    "partition_lease",
    metadata,
    Column("p", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("until", INSTANT, nullable=False, server_default=NOW),
)

worker = Table(
    "worker",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen", INSTANT, nullable=False, server_default=NOW),
)

job = Table(
    "job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("queue", Text, nullable=False),
    Column("company", Text, nullable=False),
    Column("key", Text),
    Column("p", SmallInteger),
    Column("status", Text, nullable=False, server_default="ready"),
    Column("run_at", INSTANT, nullable=False, server_default=NOW),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("payload", JSONB, nullable=False),
    Column("error", Text),
    Column("owner", Text),
    Column("until", INSTANT),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    Index("job_ready", "queue", "run_at", postgresql_where=text("status = 'ready'")),
    Index("job_held", "queue", "until", postgresql_where=text("status in ('running', 'sending')")),
    Index("job_open", "queue", "status", postgresql_where=text("status <> 'done'")),
)

parked = Table(
    "parked",
    metadata,
    Column("speaker", Text, nullable=False),
    Column("p", SmallInteger, nullable=False),
    Column("pseq", BigInteger, nullable=False),
    Column("company", Text, nullable=False),
    # the client whose events wait; empty for events that have no client
    Column("key", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("major", SmallInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("occurred_at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("traceparent", Text),
    Column("body", JSON, nullable=False),
    # null for an event that only waits behind a failed one
    Column("error", Text),
    Column("parked_at", INSTANT, nullable=False, server_default=NOW),
    # what a person decided never to apply; it stays here, and a rebuild leaves it out
    Column("skipped_at", INSTANT),
    Column("skipped_by", Text),
    Column("skipped_reason", Text),
    PrimaryKeyConstraint("speaker", "p", "company", "key", "pseq"),
)

derivation = Table(
    "derivation",
    metadata,
    # one row
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    # Listening.version of the code that makes the derived tables; null until a worker has come
    Column("version", Integer),
    Column("since", INSTANT, nullable=False, server_default=NOW),
)

# companies that are at rest: nothing is done for them, and nobody may change anything of theirs (docs/adr/0051)
company_hold = Table(
    "company_hold",
    metadata,
    Column("company", Text, primary_key=True),
    Column("since", INSTANT, nullable=False, server_default=NOW),
    Column("held_by", Text, nullable=False),
    # the first day on which the company may be deleted
    Column("until", Date, nullable=False),
    # of the manifest of the export that was made of it
    Column("export_sha256", Text),
)

TABLES = frozenset(metadata.tables)
"""Names of the chassis's own tables: never part of what a service derives."""


def install(op: "Operations | ModuleType") -> None:
    """Create the chassis's tables in the schema that the search path names; part of a service's first
    migration, before ``chassis.database.grant``."""
    metadata.create_all(op.get_bind(), checkfirst=False)
    op.execute("alter table event_log add check (company ~ '^[a-z0-9_-]{1,32}$')")
    op.execute(
        "alter table job add check (status in ('ready', 'running', 'sending', 'done', 'failed', 'in_doubt'))"
    )
    op.execute("alter table derivation add check (one)")
    op.execute("insert into derivation (one) values (true)")
    # room for in-page updates: these few rows change all the time
    for name in ("partition_head", "partition_lease", "checkpoint", "lease", "worker"):
        op.execute(f"alter table {name} set (fillfactor = 10)")
    every = f"generate_series(0, {PARTITIONS - 1})"
    op.execute(f"insert into partition_head (p) select p from {every} p")  # noqa: S608
    op.execute(f"insert into partition_lease (p) select p from {every} p")  # noqa: S608
    op.execute("insert into lease (name) values ('relay')")
