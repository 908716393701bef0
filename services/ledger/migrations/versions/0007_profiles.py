"""The profiles of a company, where it changed them."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table profile_list (
            company text primary key,
            p smallint not null,
            profiles jsonb not null,
            default_profile text not null,
            taken_over jsonb not null
        )
    """)
    grant(operations, "ledger")
