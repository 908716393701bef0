"""Free fields of clients and entries, what a company calls them, and who looks after a client."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0005"
down_revision = "0004"

TABLES = """
alter table synced_client add salesperson text;

alter table client add salesperson text;

alter table person_source add fields jsonb default '{}' not null;

alter table person add fields jsonb default '{}' not null;

create table free_field (
    company text not null,
    about text not null,
    field text not null,
    p smallint not null,
    place smallint not null,
    title text not null,
    listed boolean not null,
    primary key (company, about, field)
);

create table person_field (
    company text not null,
    client_id text not null,
    fields jsonb not null,
    changed_at timestamptz default now() not null,
    changed_by text not null,
    primary key (company, client_id)
);

create table salesperson (
    company text not null,
    code text not null,
    name text not null,
    primary key (company, code)
);

create table entry_field (
    company text not null,
    entry_id text not null,
    fields jsonb not null,
    primary key (company, entry_id)
);
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    grant(Operations(op.get_context()), "ledger")
