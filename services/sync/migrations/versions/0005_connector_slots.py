"""Planned slots of connectors."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0005"
down_revision = "0004"

TABLES = """
create table connector_slot (
    company text not null,
    slot_id uuid not null,
    connector text not null,
    cron text not null,
    mode text not null check (mode in ('incremental', 'check', 'full')),
    next_at timestamptz not null,
    changed_by text not null,
    primary key (company, slot_id),
    foreign key (company, connector) references connector (company, name)
);
create index connector_slot_due on connector_slot (next_at);
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant(Operations(op.get_context()), "sync")
