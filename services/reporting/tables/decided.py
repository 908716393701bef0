"""What comes from dunning."""

from sqlalchemy import ARRAY, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import day, instant, money, partition, word
from services.reporting.tables.metadata import metadata

action = Table(
    "action",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("action_id", Uuid, nullable=False),
    word("profile"),
    word("kind"),
    word("step"),
    word("medium"),
    word("currency"),
    money("amount"),
    money("net_amount"),
    money("book_net_amount"),
    day("due_since"),
    Column("entry_ids", ARRAY(Uuid), nullable=False),
    word("status"),
    day("started_on", nullable=True),
    instant("started_at", nullable=True),
    word("started_by", nullable=True),
    day("done_on", nullable=True),
    instant("closed_at", nullable=True),
    word("reason", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
Index(
    "action_pending",
    action.c.company,
    action.c.medium,
    postgresql_include=["client_id", "book_net_amount", "status"],
    postgresql_where=text("status in ('proposed', 'due')"),
)
Index(
    "action_started",
    action.c.company,
    action.c.started_on,
    action.c.started_at,
    action.c.action_id,
    postgresql_where=text("started_on is not null"),
)
Index("action_starter", action.c.company, action.c.started_by, postgresql_where=text("started_by is not null"))
Index(
    "action_done",
    action.c.company,
    action.c.client_id,
    action.c.done_on,
    postgresql_where=text("status = 'done' and kind = 'reminder'"),
)

entry_level = Table(
    "entry_level",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("entry_id", Uuid, nullable=False),
    word("level", nullable=True),
    day("set_on"),
    word("next_step", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

exclusion = Table(
    "exclusion",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("entry_id", Uuid, nullable=False),
    word("step"),
    Column("reasons", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

scenario = Table(
    "scenario",
    metadata,
    word("company"),
    partition(),
    word("profile"),
    Column("version", Integer, nullable=False),
    Column("with_email", JSONB, nullable=False),
    Column("without_email", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "profile"),
)

policy = Table(
    "policy",
    metadata,
    word("company"),
    partition(),
    Column("version", Integer, nullable=False),
    word("default_profile"),
    # invoices of this day or later leave by themselves (rule 22.13)
    day("automatic_from", nullable=True),
    PrimaryKeyConstraint("company"),
)

automatic_choice = Table(
    "automatic_choice",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("entry_id", Uuid, nullable=False),
    # none: what the policy says
    Column("automatic", Boolean),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

dunning_round = Table(
    "dunning_round",
    metadata,
    word("company"),
    partition(),
    day("round_on"),
    Column("clients", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("proposed", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    PrimaryKeyConstraint("company", "round_on"),
)
