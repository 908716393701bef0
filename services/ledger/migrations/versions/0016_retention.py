"""How long contents are kept, and clients of whom nothing ends by itself."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    "create table retention (company text primary key, p smallint not null, periods jsonb not null)",
    """
    create table legal_hold (
        company text not null,
        client_id text not null,
        p smallint not null,
        placed_on date not null,
        placed_by text not null,
        primary key (company, client_id)
    )
    """,
)


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in STATEMENTS:
        op.execute(statement)
    grant(operations, "ledger")
    confine(operations, "ledger", "salesperson")
