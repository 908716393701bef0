"""Signing in to mail servers and mailboxes by an authorization (OAuth 2) instead of a password."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0031"
down_revision = "0030"

STATEMENTS = (
    """
    create table mail_authorization (
        company text primary key,
        provider text not null,
        way text not null,
        tenant text not null,
        client_id text not null,
        secret bytea,
        secret_kind text not null,
        authorize_url text not null,
        token_url text not null,
        revoke_url text not null,
        scope text not null,
        hosts text[] not null,
        refresh_token bytea,
        pending bytea,
        consented_by text,
        consented_at timestamptz,
        trouble text,
        trouble_since timestamptz,
        version integer not null default 1,
        changed_by text not null,
        changed_at timestamptz default now() not null
    )
    """,
    "alter table mail_server add column sign_in text not null default 'password'",
    "alter table mailbox_account add column sign_in text not null default 'password'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
