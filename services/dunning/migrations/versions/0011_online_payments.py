"""Lines that debtors paid online."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table online_payment (
            company text not null,
            client_id text not null,
            entry_id text not null,
            payment_id uuid not null,
            p smallint not null,
            paid_on date not null,
            primary key (company, client_id, entry_id, payment_id)
        )
    """)
    grant(operations, "dunning")
    confine(operations, "dunning", "salesperson")
