"""Links to debtors' own pages that were taken back."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table link_access (
            company text not null,
            client_id text not null,
            generation integer not null,
            revoked_by text not null,
            revoked_at timestamptz default now() not null,
            primary key (company, client_id)
        )
    """)
    grant(operations, "notify")
    confine(operations, "notify", "salesperson")
