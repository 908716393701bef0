"""Payments are found by their client, of whom there are few: the days need no index of their own."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("drop index paid_group_on")
