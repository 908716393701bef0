"""Whose clients a person sees."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # a new schema is made of the tables as they are now
    op.execute("alter table membership add column if not exists portfolio text[]")
