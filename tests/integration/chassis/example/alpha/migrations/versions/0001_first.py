"""Alpha remembers nothing but its log."""

from alembic import op

from chassis.database import grant, install

revision = "0001"
down_revision = None


def upgrade() -> None:
    install(op)
    grant(op, "alpha")
