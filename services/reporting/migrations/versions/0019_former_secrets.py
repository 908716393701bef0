"""Secrets of subscribers that were changed twice within the time that was promised to the first."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.execute("alter table subscriber add column earlier jsonb not null default '[]'")
