"""Letters that were wanted many at once have a progress too."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table sending add column if not exists medium text not null default 'email'")
