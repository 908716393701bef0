"""Connectors that read a live base, and what each of them showed last."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0003"
down_revision = "0002"

TABLES = """
-- one base that is read again and again; where it is and how to log in there stays outside the database
create table connector (
    company text not null,
    name text not null,
    kind text not null,
    -- what rows and people are known by: the kind and the base
    source text not null,
    -- whether sync reads the base itself, or an agent beside the base does and pushes
    place text not null check (place in ('sync', 'agent')),
    options jsonb not null default '{}',
    -- given back by the last whole delivery; null: everything is to be read
    cursor jsonb,
    -- the last delivery left a doubt that only a check or a full one clears
    due text check (due in ('check', 'full')),
    wanted text[] not null default '{}',
    asked_run uuid,
    read_at timestamptz,
    checked_at timestamptz,
    seen_at timestamptz,
    silence_said_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (company, name),
    unique (company, source)
);

-- the last seen state of every entry that has a key of its source's own
create table keyed_entry (
    company text not null,
    source text not null,
    key text not null,
    entry_id uuid not null,
    state uuid not null,
    label uuid not null,
    p smallint not null,
    client_id text not null,
    is_open boolean not null,
    book_amount numeric(18, 4) not null,
    removed boolean not null,
    entry text not null,
    primary key (company, source, key)
);
alter table keyed_entry alter column entry set storage external;

create table keyed_client (
    company text not null,
    source text not null,
    client_id text not null,
    p smallint not null,
    state uuid not null,
    person uuid not null,
    contacts integer not null,
    removed boolean not null,
    client text not null,
    primary key (company, source, client_id)
);

alter table run add column connector_name text, add column mode text, add column delivery uuid,
    add column active_at timestamptz;
create index run_delivering on run (active_at) where status = 'running' and connector_name is not null;
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant(Operations(op.get_context()), "sync")
