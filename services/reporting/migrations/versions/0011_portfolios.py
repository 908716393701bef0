"""Whoever sees the clients of some sales people sees nothing of the others."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    confine(Operations(op.get_context()), "reporting", "salesperson")
