"""Files that go with messages, kept once by their hash."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        create table attachment (
            company text not null,
            sha256 text not null,
            media_type text not null,
            bytes integer not null,
            content bytea not null,
            kept_at timestamptz default now() not null,
            primary key (company, sha256)
        )
    """)
    op.execute("alter table attachment alter content set storage external")
    op.execute("alter table message add files jsonb, add cut integer")
    op.execute("create index message_files on message (company) where files is not null")
    op.execute("alter table draft add files jsonb, add attach_invoices boolean")
    grant(Operations(op.get_context()), "notify")
