"""The first tables of sync."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant, install

revision = "0001"
down_revision = None

TABLES = """
create table company (
    company text primary key,
    p smallint not null,
    time_zone text not null,
    currency text not null,
    fiscal_year_start text not null
);

create table import_settings (
    company text primary key,
    accounts text[] not null,
    term_days integer not null check (term_days between 0 and 366),
    journals jsonb not null default '{}',
    accepted text[] not null default '{}',
    changed_at timestamptz not null default now()
);

-- what names a file can have, and the book each of them shows
create table book (
    company text not null,
    name text not null,
    book text not null,
    primary key (company, name)
);

-- what each journal was taken for when it was first seen, so that a few new lines cannot turn its history
create table journal (
    company text not null,
    journal text not null,
    nature text not null check (nature in ('sales', 'cash', 'opening')),
    primary key (company, journal)
);

-- the last seen state of every customer line
create table source_row (
    company text not null,
    book text not null,
    entry_id uuid not null,
    row_key uuid not null,
    ordinal integer not null,
    state uuid not null,
    kind text not null,
    p smallint not null,
    client_id text not null,
    lettering text not null,
    removed boolean not null,
    entry text not null,
    primary key (company, book, row_key, ordinal)
);
alter table source_row alter column entry set storage external;

create table source_client (
    company text not null,
    client_id text not null,
    p smallint not null,
    account text not null,
    person uuid not null,
    email_domain text,
    removed boolean not null,
    primary key (company, client_id)
);

create table run (
    company text not null,
    run_id uuid not null,
    connector text not null,
    file text not null,
    email_domain text,
    as_of date not null,
    actor text not null,
    correlation_id uuid not null,
    source text,
    status text not null default 'running' check (status in ('running', 'completed', 'failed')),
    stage text not null default 'queued',
    lines_read integer not null default 0,
    result jsonb not null default '{}',
    errors jsonb not null default '[]',
    warnings jsonb not null default '[]',
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    primary key (company, run_id)
);
create index run_latest on run (company, requested_at desc);

-- the file of a run until the run has ended: whichever process reads it, and however often it begins
create table upload (
    company text not null,
    run_id uuid not null,
    part integer not null,
    content bytea not null,
    primary key (company, run_id, part)
);
alter table upload alter column content set storage external;
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    install(operations)
    op.execute(TABLES)
    grant(operations, "sync")
