"""Mapped files: saved mappings, files kept as samples, what each source tells of a client; fiscal years that
follow one another."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0002"
down_revision = "0001"

TABLES = """
create table mapping (
    company text not null,
    name text not null,
    mapping jsonb not null,
    changed_by text not null,
    changed_at timestamptz not null default now(),
    primary key (company, name)
);

-- files sent to be looked at; their content stands in upload until they are imported or a day old
create table sample (
    company text not null,
    sample_id uuid not null,
    file text not null,
    sent_at timestamptz not null default now(),
    primary key (company, sample_id)
);

-- the mapping is kept with the run, so that a mapping changed meanwhile does not change what was asked for
alter table run add column mapping_name text, add column mapping jsonb,
    add column dry_run boolean not null default false;

alter table source_client add column profile text, add column category text, add column payment_mode text,
    add column currency text;

-- what each source told of a client's person last, as a digest; lists: the source is a list of clients
create table source_person (
    company text not null,
    source text not null,
    client_id text not null,
    person uuid not null,
    lists boolean not null,
    primary key (company, source, client_id)
);
create index source_person_client on source_person (company, client_id) where lists;
alter table source_client drop column person;

-- the books that carry open entries forward from the year before, and the day on which they begin
create table opening (
    company text not null,
    book text not null,
    opening_day date not null,
    primary key (company, book)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant(Operations(op.get_context()), "sync")
