"""Stops that end, disputes, flags, expected days, mentions; contacts; erased people."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0002"
down_revision = "0001"

TABLES = """
alter table company add dispute_reasons text[] not null default array['price', 'quantity', 'quality', 'delivery',
    'missing_order_number', 'invoice_not_received', 'credit_note_expected', 'other'];

alter table client add resumes_on date, add flagged boolean default false not null;

create index client_resumes on client (company, resumes_on) where resumes_on is not null;

alter table entry_stop add resumes_on date;

create index entry_stop_resumes on entry_stop (company, resumes_on) where resumes_on is not null;

alter table note add mentions text[] default '{}' not null;

create table dispute (
    company text not null,
    dispute_id uuid not null,
    p smallint not null,
    client_id text not null,
    entry_id text,
    reason text not null,
    opened_on date not null,
    opened_by text not null,
    closed_on date,
    closed_by text,
    primary key (company, dispute_id)
);

create index dispute_client on dispute (company, client_id);

create table entry_expectation (
    company text not null,
    client_id text not null,
    entry_id text not null,
    p smallint not null,
    expected_on date not null,
    set_on date not null,
    set_by text not null,
    primary key (company, client_id, entry_id)
);

create table contact (
    company text not null,
    contact_id uuid not null,
    client_id text not null,
    source text,
    source_key text,
    name text not null,
    department text not null,
    email text not null,
    phone text not null,
    edited jsonb default '{}' not null,
    notices boolean default false not null,
    reminders_from smallint,
    thanks boolean default false not null,
    in_copy boolean default false not null,
    gone boolean default false not null,
    removed boolean default false not null,
    changed_at timestamptz default now() not null,
    primary key (company, contact_id),
    unique (company, client_id, source, source_key)
);

create table erased_person (
    company text not null,
    client_id text not null,
    erased_at timestamptz default now() not null,
    erased_by text not null,
    primary key (company, client_id)
)
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "ledger")
