"""How many events that were put aside nobody tried again in time."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        "alter table webhook add column forgotten bigint default 0 not null, add column forgotten_at timestamptz"
    )
