"""What the tables of the chassis have gained, as in the other services: measures read them in every process."""

from alembic import op

from chassis.database import grant
from chassis.derivation import add_derivation

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        "alter table parked add column if not exists skipped_at timestamptz,"
        " add column if not exists skipped_by text, add column if not exists skipped_reason text"
    )
    add_derivation(op)
    grant(op, "console")
