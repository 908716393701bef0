"""Parked events that a person decided never to apply."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    # a schema made today has them from its first migration
    op.execute(
        "alter table parked add column if not exists skipped_at timestamptz,"
        " add column if not exists skipped_by text, add column if not exists skipped_reason text"
    )
