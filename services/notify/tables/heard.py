"""Rows from the streams that notify hears: what accounting holds, what people said, what dunning decided."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import FALSE, day, instant, key, last_said, partition, word
from services.notify.tables.metadata import metadata

COLUMN, LINE = "\x1d", "\x1e"
"""What stands between the columns of a line, and between lines, in ``synced_lines.lines``."""

# what each event told of a client's entries; of an entry the last telling counts, as the view ``entry`` shows it.
# The view is for one client after the other: what a company has in all would be put in order whole
synced_lines = Table(
    "synced_lines",
    metadata,
    word("company"),
    # an entry that accounting moves to another client lives in another partition: told as removed of the one
    word("client_id"),
    # of the event; a client lies in one partition
    Column("number", BigInteger, nullable=False),
    partition(),
    # entry, account, kind, piece, entry date, due date, debit minus credit, currency, lettering or nothing,
    # t or f: removed
    word("lines"),
    PrimaryKeyConstraint("company", "client_id", "number"),
)

company = Table(
    "company",
    metadata,
    key("company"),
    partition(),
    word("name"),
    word("time_zone"),
    word("currency"),
)

client = Table(
    "client",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    # of the person; 0: nothing was said of it yet
    Column("version", Integer, nullable=False, server_default="0"),
    Column("removed", Boolean, nullable=False, server_default=FALSE),
    Column("stopped", Boolean, nullable=False, server_default=FALSE),
    day("resumes_on", nullable=True),
    # the code by which portfolios are given
    word("salesperson", nullable=True),
    # by which the company tells businesses from others
    word("category", nullable=True),
    PrimaryKeyConstraint("company", "client_id"),
)

# a company without a row claims nothing of those who pay late
late_interest_terms = last_said("late_interest_terms", metadata, "terms")

retention = last_said("retention", metadata, "periods")

# clients of whom nothing ends by itself
legal_hold = Table(
    "legal_hold",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    PrimaryKeyConstraint("company", "client_id"),
)

client_merge = Table(
    "client_merge",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    word("into_client_id"),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_merge_into", "company", "into_client_id"),
)

entry_stop = Table(
    "entry_stop",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    partition(),
    day("resumes_on", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

dispute = Table(
    "dispute",
    metadata,
    word("company"),
    Column("dispute_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    # null: the whole account
    word("entry_id", nullable=True),
    instant("opened_at", nullable=True),
    PrimaryKeyConstraint("company", "dispute_id"),
    Index("dispute_client", "company", "client_id"),
)

promise = Table(
    "promise",
    metadata,
    word("company"),
    Column("promise_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("entry_id"),
    day("promised_on"),
    # neither kept nor cancelled; a broken one is still open
    Column("open", Boolean, nullable=False),
    instant("recorded_at", nullable=True),
    PrimaryKeyConstraint("company", "promise_id"),
    Index("promise_entry", "company", "client_id", "entry_id", postgresql_where=text("open")),
)

lettering_error = Table(
    "lettering_error",
    metadata,
    word("company"),
    word("client_id"),
    word("account"),
    word("lettering"),
    partition(),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

policy = Table(
    "policy",
    metadata,
    key("company"),
    partition(),
    Column("promises_exclude", Boolean, nullable=False),
    Column("disputes_exclude", Boolean, nullable=False, server_default=FALSE),
)

action = Table(
    "action",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("step"),
    word("medium"),
    # proposed | due | done | withdrawn
    word("state"),
    # the day on which it last became due; null while it only was proposed
    day("due_on", nullable=True),
    # and the instant
    instant("due_at", nullable=True),
    Column("draft_id", Uuid),
    # as dunning said it
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "action_id"),
    Index("action_due_on", "company", "due_on", "medium"),
    Index("action_client", "company", "client_id"),
)
