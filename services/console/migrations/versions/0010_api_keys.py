"""API keys of other systems."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # a new schema is made of the tables as they are now
    op.execute(
        "create table if not exists api_key (key_id uuid primary key default uuidv7(), company text not null,"
        " name text not null, scopes text[] not null, secret_sha256 bytea not null, ends_at timestamptz,"
        " made_by uuid references account (account_id) on delete set null,"
        " made_at timestamptz not null default now(), last_used_on date, revoked_at timestamptz,"
        " revoked_by uuid references account (account_id) on delete set null)"
    )
    op.execute("create index if not exists api_key_company on api_key (company)")
    grant(Operations(op.get_context()), "console")
