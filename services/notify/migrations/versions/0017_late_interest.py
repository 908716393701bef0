"""What a company claims of businesses that pay late, and the category by which a client is known to be one."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("alter table client add category text")
    op.execute("""
        create table late_interest_terms (
            company text primary key,
            p smallint not null,
            terms jsonb not null
        )
    """)
    grant(Operations(op.get_context()), "notify")
