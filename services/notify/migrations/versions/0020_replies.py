"""Answers of people to messages."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table reply (
            company text not null,
            client_id text not null,
            action_id uuid not null,
            p smallint not null,
            received_at timestamptz not null,
            handled_at timestamptz,
            primary key (company, client_id, action_id)
        )
    """)
    grant(operations, "notify")
    confine(operations, "notify", "salesperson")
