"""The address book of a company: who gets copies of which step."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table copy_address (
            company text not null,
            copy_id uuid not null,
            email text not null,
            name text default '' not null,
            user_id text,
            changed_by text not null,
            changed_at timestamptz default now() not null,
            primary key (company, copy_id)
        )
    """)
    grant(operations, "notify")
