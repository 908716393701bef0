"""Keys that companies sign their messages with."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("""
        create table dkim_key (
            company text primary key,
            domain text not null,
            selector text not null,
            private_key bytea not null,
            public_key text not null,
            active boolean default false not null,
            changed_by text not null,
            changed_at timestamptz default now() not null
        )
    """)
    grant(Operations(op.get_context()), "notify")
