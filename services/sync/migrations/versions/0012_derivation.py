"""By which version of the projection the derived tables are made."""

from alembic import op

from chassis.database import grant
from chassis.derivation import add_derivation

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    add_derivation(op)
    grant(op, "sync")
