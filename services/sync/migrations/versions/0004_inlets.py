"""Inlets: places that files are fetched from, and the slots at which they are looked into."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0004"
down_revision = "0003"

TABLES = """
create table inlet (
    company text not null,
    name text not null,
    inlet jsonb not null,
    changed_by text not null,
    changed_at timestamptz not null default now(),
    looked_at timestamptz,
    -- why nothing could be fetched the last time
    trouble text,
    primary key (company, name)
);

-- the files that were fetched: one that looks the same is not fetched again
create table inlet_file (
    company text not null,
    inlet text not null,
    file text not null,
    size bigint not null,
    modified timestamptz not null,
    run_id uuid not null,
    fetched_at timestamptz not null default now(),
    primary key (company, inlet, file)
);

create table slot (
    company text not null,
    slot_id uuid not null,
    inlet text not null,
    cron text not null,
    -- the slot of a watched inlet, kept with it
    watching boolean not null,
    next_at timestamptz not null,
    changed_by text not null,
    primary key (company, slot_id)
);
create index run_served on run (company, started_at);
create index slot_due on slot (next_at);
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant(Operations(op.get_context()), "sync")
