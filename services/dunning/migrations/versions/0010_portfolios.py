"""Category and sales person of clients; whoever sees the clients of some sales people sees nothing of others."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("alter table client add category text, add salesperson text")
    confine(Operations(op.get_context()), "dunning", "salesperson")
