"""What debtors send with their disputes."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table dispute_file (
            company text not null,
            file_id uuid not null,
            client_id text not null,
            dispute_id uuid not null,
            file_name text not null,
            media_type text not null,
            content bytea not null,
            kept_at timestamptz default now() not null,
            primary key (company, file_id)
        )
    """)
    op.execute("create index dispute_file_client on dispute_file (company, client_id)")
    grant(operations, "ledger")
    confine(operations, "ledger", "salesperson")
