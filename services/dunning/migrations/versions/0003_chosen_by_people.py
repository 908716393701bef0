"""Actions that people compose, and next steps that they choose."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    "alter table action add by_hand boolean not null default false",
    "alter table action add counts boolean not null default true",
    "alter table action add next_step text",
    "alter table entry_level add next_step text",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
