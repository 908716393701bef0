"""Rounds go on with the trace of whoever asked for them."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("alter table round add column traceparent text")
