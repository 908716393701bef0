"""Whoever sees the clients of some sales people sees nothing of the others."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine

revision = "0009"
down_revision = "0008"

PARENTS = {"note_text": ("note", "note_id"), "document_file": ("document", "document_id")}


def upgrade() -> None:
    confine(Operations(op.get_context()), "ledger", "salesperson", parents=PARENTS)
