"""Mail servers of companies' own."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("""
        create table mail_server (
            company text primary key,
            host text not null,
            port integer not null,
            encryption text not null,
            username text not null,
            password bytea,
            connections integer not null,
            per_second numeric(18, 4) not null,
            per_second_and_domain numeric(18, 4) not null,
            changed_by text not null,
            changed_at timestamptz default now() not null
        )
    """)
    grant(Operations(op.get_context()), "notify")
