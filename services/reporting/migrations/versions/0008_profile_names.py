"""What people read for each profile."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table profile_names (
            company text primary key,
            p smallint not null,
            names jsonb not null
        )
    """)
    grant(operations, "reporting")
