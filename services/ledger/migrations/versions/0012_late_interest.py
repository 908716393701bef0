"""What a company claims of businesses that pay late."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        create table late_interest_terms (
            company text primary key,
            p smallint not null,
            terms jsonb not null
        )
    """)
    grant(Operations(op.get_context()), "ledger")
