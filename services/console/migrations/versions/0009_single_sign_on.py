"""People who come by a provider of identities, and those whom an operator lets in."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # a new schema is made of the tables as they are now
    op.execute("alter table membership add column if not exists given_by text not null default 'hand'")
    op.execute(
        "alter table session add column if not exists opened_by text not null default 'password',"
        " add column if not exists shown_at timestamptz, add column if not exists id_token bytea"
    )
    op.execute(
        "create table if not exists provider_identity (issuer text not null, subject text not null,"
        " account_id uuid not null references account (account_id) on delete cascade,"
        " bound_at timestamptz not null default now(), primary key (issuer, subject), unique (issuer, account_id))"
    )
    op.execute(
        "create table if not exists spent_attempt (digest bytea primary key,"
        " spent_at timestamptz not null default now())"
    )
    op.execute("create index if not exists spent_attempt_at on spent_attempt (spent_at)")
    op.execute(
        "create table if not exists let_in (key bytea primary key,"
        " account_id uuid not null references account (account_id) on delete cascade,"
        " until timestamptz not null)"
    )
    grant(Operations(op.get_context()), "console")
