"""Which of a client's entries were heard of since it was last decided."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("alter table schedule add column touched text[]")
