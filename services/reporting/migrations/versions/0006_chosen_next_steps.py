"""The next step of an entry, where a person chose it."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("alter table entry_level add next_step text")
