"""Mailboxes of companies' own, read by IMAP, and the mails in them that were read."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0018"
down_revision = "0017"

STATEMENTS = (
    """
    create table mailbox_account (
        company text primary key,
        host text not null,
        port integer not null,
        encryption text not null,
        username text not null,
        password bytea,
        folder text not null,
        after text not null,
        away text not null,
        since date not null,
        tagged boolean default false not null,
        changed_by text not null,
        changed_at timestamptz default now() not null
    )
    """,
    """
    create table mailbox_mail (
        company text not null,
        validity bigint not null,
        uid bigint not null,
        away boolean not null,
        primary key (company, validity, uid)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
