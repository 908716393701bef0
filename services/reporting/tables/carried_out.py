"""What comes from notify."""

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table, Uuid, text

from chassis.columns import day, instant, partition, word
from services.reporting.tables.metadata import metadata

delivery = Table(
    "delivery",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("action_id", Uuid, nullable=False),
    word("status"),
    instant("status_at"),
    day("status_on"),
    word("reason", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
Index(
    "delivery_trouble",
    delivery.c.company,
    delivery.c.status_on,
    postgresql_where=text("status in ('failed', 'bounced', 'in_doubt')"),
)

# messages that a person answered; the last answer of each
reply = Table(
    "reply",
    metadata,
    word("company"),
    word("client_id"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    day("received_on"),
    instant("received_at"),
    # somebody saw to it
    Column("handled", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
Index("reply_unhandled", reply.c.company, reply.c.received_on, postgresql_where=text("not handled"))
