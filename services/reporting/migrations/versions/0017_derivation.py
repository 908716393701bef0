"""By which version of the projection the derived tables are made."""

from alembic import op

from chassis.database import grant
from chassis.derivation import add_derivation

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    add_derivation(op)
    grant(op, "reporting")
