"""How long contents are kept, and clients of whom nothing ends by itself."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0029"
down_revision = "0028"

STATEMENTS = (
    "create table retention (company text primary key, p smallint not null, periods jsonb not null)",
    """
    create table legal_hold (
        company text not null,
        client_id text not null,
        p smallint not null,
        primary key (company, client_id)
    )
    """,
    "create table expired_day (company text primary key, as_of date not null)",
    "create index message_composed on message (company, composed_at) where raw is not null",
    "create index report_aged on report (company, read_at) where address is not null or text is not null",
)


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in STATEMENTS:
        op.execute(statement)
    grant(operations, "notify")
    confine(operations, "notify", "salesperson")
