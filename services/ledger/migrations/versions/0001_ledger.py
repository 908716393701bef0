"""The first tables of ledger."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant, install

revision = "0001"
down_revision = None

TABLES = """
create table entry (
    company text not null,
    client_id text not null,
    entry_id text not null,
    p smallint not null,
    account text not null,
    kind text not null,
    journal text not null,
    piece text not null,
    entry_date date not null,
    invoice_date date,
    due_date date not null,
    debit numeric(18, 4) not null,
    credit numeric(18, 4) not null,
    currency text not null,
    book_amount numeric(18, 4) not null,
    payment_mode text,
    lettering text,
    lettered_on date,
    removed boolean not null,
    primary key (company, client_id, entry_id)
);

create table synced_client (
    company text not null,
    client_id text not null,
    p smallint not null,
    account text not null,
    currency text,
    profile text,
    category text,
    payment_mode text,
    removed boolean not null,
    primary key (company, client_id)
);

create table company (
    company text not null,
    p smallint not null,
    name text not null,
    time_zone text not null,
    currency text not null,
    country text not null,
    fiscal_year_start text not null,
    primary key (company)
);

create table client (
    company text not null,
    client_id text not null,
    p smallint not null,
    version integer default '0' not null,
    has_email boolean default false not null,
    has_phone boolean default false not null,
    has_address boolean default false not null,
    language text default 'fr' not null,
    profile text,
    category text,
    payment_mode text,
    removed boolean default false not null,
    chosen_profile text,
    stopped boolean default false not null,
    stopped_on date,
    stopped_by text,
    primary key (company, client_id)
);

create table promise (
    company text not null,
    promise_id uuid not null,
    p smallint not null,
    client_id text not null,
    entry_id text not null,
    amount numeric(18, 4) not null,
    currency text not null,
    promised_on date not null,
    state text not null,
    recorded_on date not null,
    recorded_by text not null,
    ended_on date,
    primary key (company, promise_id)
);

create index promise_client on promise (company, client_id);

create index promise_open on promise (company, promised_on) where state = 'open';

create table entry_stop (
    company text not null,
    client_id text not null,
    entry_id text not null,
    p smallint not null,
    stopped_on date not null,
    stopped_by text not null,
    primary key (company, client_id, entry_id)
);

create table note (
    company text not null,
    note_id uuid not null,
    p smallint not null,
    client_id text not null,
    entry_id text,
    written_on date not null,
    written_at timestamptz not null,
    author text not null,
    primary key (company, note_id)
);

create index note_client on note (company, client_id);

create table lettering_error (
    company text not null,
    client_id text not null,
    account text not null,
    lettering text not null,
    p smallint not null,
    difference numeric(18, 4) not null,
    found_on date not null,
    primary key (company, client_id, account, lettering)
);

create table lettered_payment (
    company text not null,
    client_id text not null,
    account text not null,
    lettering text not null,
    p smallint not null,
    payments text[] not null,
    settled text[] not null,
    paid_on date not null,
    primary key (company, client_id, account, lettering)
);

create table person_source (
    company text not null,
    client_id text not null,
    source text not null,
    name text not null,
    emails text[] not null,
    phones text[] not null,
    address jsonb,
    contact_name text,
    language text,
    changed_at timestamptz default now() not null,
    primary key (company, client_id, source)
);

create table person (
    company text not null,
    client_id text not null,
    name text not null,
    emails text[] not null,
    phones text[] not null,
    address jsonb,
    contact_name text,
    language text,
    primary key (company, client_id)
);

create table entry_label (
    company text not null,
    entry_id text not null,
    label text not null,
    primary key (company, entry_id)
);

create table note_text (
    company text not null,
    note_id uuid not null,
    text text not null,
    primary key (company, note_id)
);

create table touched_group (
    company text not null,
    client_id text not null,
    account text not null,
    lettering text not null,
    p smallint not null,
    number bigint not null,
    primary key (company, p, client_id, account, lettering)
);

create table milestone (
    company text not null,
    run_id uuid not null,
    p smallint not null,
    number bigint not null,
    as_of date not null,
    correlation_id uuid not null,
    causation_id uuid not null,
    traceparent text,
    primary key (company, run_id, p)
);

create table command (
    company text not null,
    key text not null,
    digest text not null,
    answer jsonb not null,
    answered_at timestamptz default now() not null,
    primary key (company, key)
);

create table day_passed (
    company text not null,
    as_of date not null,
    primary key (company)
)
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    install(operations)
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "ledger")
