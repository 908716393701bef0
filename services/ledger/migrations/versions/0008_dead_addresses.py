"""Addresses that mails came back from."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table dead_address (
            company text not null,
            client_id text not null,
            email text not null,
            reason text not null,
            marked_at timestamptz default now() not null,
            primary key (company, client_id, email)
        )
    """)
    grant(operations, "ledger")
