"""What comes from notify."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Uuid, text

from services.reporting.tables.columns import day, instant, metadata, partition, word

delivery = Table(
    "delivery",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("action_id", Uuid, nullable=False),
    word("status"),
    instant("status_at", nullable=False),
    day("status_on", nullable=False),
    word("reason", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
Index(
    "delivery_trouble",
    delivery.c.company,
    delivery.c.status_on,
    postgresql_where=text("status in ('failed', 'bounced', 'in_doubt')"),
)
