"""Letters as they are printed, when they were posted, and the logo that stands on them."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    create table letter (
        company text not null,
        action_id uuid not null,
        client_id text not null,
        step text not null,
        language text not null,
        subject text not null,
        address text[] not null,
        mailing_key text[] not null,
        amount numeric(18, 4) not null,
        currency text not null,
        pages integer not null,
        sha256 text not null,
        pdf bytea,
        registered boolean default false not null,
        registered_number text,
        written_on date not null,
        prepared_by text not null,
        prepared_at timestamptz default now() not null,
        primary key (company, action_id)
    )
    """,
    # a PDF is compressed already
    "alter table letter alter column pdf set storage external",
    "create index letter_client on letter (company, client_id)",
    "create index letter_written on letter (company, written_on)",
    """
    create table posting (
        company text not null,
        action_id uuid not null,
        p smallint not null,
        client_id text not null,
        posted_on date not null,
        registered boolean not null,
        at timestamptz not null,
        actor text not null,
        primary key (company, action_id)
    )
    """,
    "create index posting_client on posting (company, client_id)",
    """
    create table logo (
        company text primary key,
        media_type text not null,
        sha256 text not null,
        content bytea not null,
        changed_by text not null,
        changed_at timestamptz default now() not null
    )
    """,
    # a letter whose step is done; when it was posted stands in posting
    "update outcome set kind = 'prepared' where kind = 'posted'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
