"""Who agreed to be told on when opening a message, and messages that only a machine fetched."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("alter table outcome add fetched_at timestamptz")
    op.execute("""
        create table opens_consent (
            company text not null,
            client_id text not null,
            email text not null,
            given_by text not null,
            given_at timestamptz default now() not null,
            primary key (company, client_id, email)
        )
    """)
    grant(operations, "notify")
    confine(operations, "notify", "salesperson")
