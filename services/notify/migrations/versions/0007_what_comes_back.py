"""Mails that come back: what they say, of which message, and how the places they are read from fare."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "alter table outcome add bounced text",
    "create index message_named on message (company, message_id)",
    """
    create table report (
        company text not null,
        digest text not null,
        n integer not null,
        kind text not null,
        reason text not null,
        status text,
        action_id uuid,
        client_id text,
        address text,
        text text,
        read_at timestamptz default now() not null,
        mark text,
        primary key (company, digest, n)
    )
    """,
    "create index report_action on report (company, action_id)",
    "create index report_mark on report (company) where mark = 'wanted'",
    """
    create table mailbox (
        company text not null,
        place text not null,
        read_at timestamptz,
        trouble text,
        trouble_since timestamptz,
        primary key (company, place)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
