"""A console that died while it asked for a daily report holds it for a while only."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # a schema made today has it from its first migration
    op.execute("alter table cash_report add column if not exists claimed_until timestamptz")
