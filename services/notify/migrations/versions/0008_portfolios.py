"""Whoever sees the clients of some sales people sees nothing of the others."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("alter table client add salesperson text")
    confine(Operations(op.get_context()), "notify", "salesperson")
