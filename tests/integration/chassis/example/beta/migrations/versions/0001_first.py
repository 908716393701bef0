"""Beta's tables."""

from alembic import op

from chassis.database import grant, install
from tests.integration.chassis.example.wiring import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    install(op)
    metadata.create_all(op.get_bind())
    grant(op, "beta")
