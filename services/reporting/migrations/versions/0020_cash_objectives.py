"""What a company wants to come in, month by month."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("""
        create table cash_objective (
            company text primary key,
            p smallint not null,
            objectives jsonb not null
        )
    """)
    grant(Operations(op.get_context()), "reporting")
