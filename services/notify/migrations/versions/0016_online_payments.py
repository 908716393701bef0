"""Online payments, and the lines they cover."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0016"
down_revision = "0015"

STATEMENTS = (
    """
    create table online_payment (
        company text not null,
        client_id text not null,
        entry_id text not null,
        payment_id uuid not null,
        p smallint not null,
        paid_on date not null,
        primary key (company, client_id, entry_id, payment_id)
    )
    """,
    """
    create table payment (
        company text not null,
        payment_id uuid not null,
        client_id text not null,
        amount numeric(18, 4) not null,
        currency text not null,
        entries jsonb not null,
        state text not null,
        session_id text,
        url text,
        expires_at timestamptz,
        as_of date not null,
        created_at timestamptz default now() not null,
        ended_at timestamptz,
        primary key (company, payment_id)
    )
    """,
    "create index payment_client on payment (company, client_id)",
)


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in STATEMENTS:
        op.execute(statement)
    grant(operations, "notify")
    confine(operations, "notify", "salesperson")
