"""The first tables of the console."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant, install
from services.console.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    operations = Operations(op.get_context())
    install(operations)
    metadata.create_all(op.get_bind())
    grant(operations, "console")
