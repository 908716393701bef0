"""Which reminders may leave by themselves: what the policy says, and what people chose for an entry."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("alter table policy add automatic_from date")
    op.execute("""
        create table automatic_choice (
            company text not null,
            p smallint not null,
            client_id text not null,
            entry_id uuid not null,
            automatic boolean,
            primary key (company, client_id, entry_id)
        )
    """)
    grant(operations, "reporting")
