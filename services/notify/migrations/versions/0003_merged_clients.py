"""Codes of clients that became one with another."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table client_merge (
            company text not null,
            client_id text not null,
            p smallint not null,
            into_client_id text not null,
            primary key (company, client_id)
        )
    """)
    op.execute("create index client_merge_into on client_merge (company, into_client_id)")
    grant(operations, "notify")
