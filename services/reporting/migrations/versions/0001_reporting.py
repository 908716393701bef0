"""The first tables of reporting."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant, install

revision = "0001"
down_revision = None

TABLES = """
create table entry (
    company text not null,
    p smallint not null,
    client_id text not null,
    entry_id uuid not null,
    account text not null,
    kind text not null,
    journal text not null,
    piece text not null,
    piece_key text collate "C" not null,
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
    archived boolean not null,
    is_open boolean not null,
    primary key (company, client_id, entry_id)
);

create index entry_credit on entry (company, entry_date) include (book_amount, client_id)
    where credit <> 0 and not archived;

create index entry_piece on entry (company, piece_key);

create index entry_open on entry (company, client_id, due_date) include (book_amount, payment_mode, entry_id)
    where is_open;

create table lettering_error (
    company text not null,
    p smallint not null,
    client_id text not null,
    account text not null,
    lettering text not null,
    difference numeric(18, 4) not null,
    primary key (company, client_id, account, lettering)
);

create table synced_account (
    company text not null,
    p smallint not null,
    client_id text not null,
    number bigint not null,
    primary key (company, client_id)
);

create index synced_account_number on synced_account (company, p, number);

create table synced_partition (
    company text not null,
    p smallint not null,
    number bigint not null,
    primary key (company, p)
);

create table sync_run (
    company text not null,
    p smallint not null,
    run_id uuid not null,
    connector text not null,
    source text not null,
    run_on date not null,
    completed_at timestamptz not null,
    entries_read integer not null,
    changed integer not null,
    archived integer not null,
    primary key (company, run_id)
);

create index sync_run_completed on sync_run (company, completed_at);

create table followed_company (
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
    p smallint not null,
    client_id text not null,
    version bigint default 0 not null,
    has_email boolean default false not null,
    has_phone boolean default false not null,
    has_address boolean default false not null,
    profile text,
    category text,
    payment_mode text,
    removed boolean default false not null,
    stopped_on date,
    stopped_by text,
    notes integer default 0 not null,
    primary key (company, client_id)
);

create index client_stopped on client (company) where stopped_on is not null;

create table entry_mark (
    company text not null,
    p smallint not null,
    client_id text not null,
    entry_id uuid not null,
    stopped_on date,
    notes integer default 0 not null,
    primary key (company, client_id, entry_id)
);

create table promise (
    company text not null,
    p smallint not null,
    client_id text not null,
    promise_id uuid not null,
    entry_id uuid not null,
    amount numeric(18, 4) not null,
    currency text not null,
    promised_on date not null,
    status text not null,
    recorded_on date not null,
    primary key (company, client_id, promise_id)
);

create index promise_day on promise (company, status, promised_on);

create table fact (
    company text not null,
    p smallint not null,
    number bigint not null,
    client_id text not null,
    kind text not null,
    detail text,
    entry_ids uuid[] not null,
    amount numeric(18, 4),
    currency text,
    promise_id uuid,
    promised_on date,
    happened_on date not null,
    happened_at timestamptz not null,
    actor text not null,
    primary key (company, p, number)
);

create index fact_actor on fact (company, actor);

create index fact_client on fact (company, client_id, happened_on, happened_at);

create index fact_day on fact (company, happened_on, happened_at);

create table action (
    company text not null,
    p smallint not null,
    client_id text not null,
    action_id uuid not null,
    profile text not null,
    kind text not null,
    step text not null,
    medium text not null,
    currency text not null,
    amount numeric(18, 4) not null,
    net_amount numeric(18, 4) not null,
    book_net_amount numeric(18, 4) not null,
    due_since date not null,
    entry_ids uuid[] not null,
    status text not null,
    started_on date,
    started_at timestamptz,
    started_by text,
    done_on date,
    closed_at timestamptz,
    reason text,
    primary key (company, client_id, action_id)
);

create index action_done on action (company, client_id, done_on) where status = 'done' and kind = 'reminder';

create index action_pending on action (company, medium) include (client_id, book_net_amount, status)
    where status in ('proposed', 'due');

create index action_started on action (company, started_on, started_at, action_id)
    where started_on is not null;

create index action_starter on action (company, started_by) where started_by is not null;

create table entry_level (
    company text not null,
    p smallint not null,
    client_id text not null,
    entry_id uuid not null,
    level text,
    set_on date not null,
    primary key (company, client_id, entry_id)
);

create table exclusion (
    company text not null,
    p smallint not null,
    client_id text not null,
    entry_id uuid not null,
    step text not null,
    reasons text[] not null,
    primary key (company, client_id, entry_id)
);

create table scenario (
    company text not null,
    p smallint not null,
    profile text not null,
    version integer not null,
    with_email jsonb not null,
    without_email jsonb not null,
    primary key (company, profile)
);

create table policy (
    company text not null,
    p smallint not null,
    version integer not null,
    default_profile text not null,
    primary key (company)
);

create table dunning_round (
    company text not null,
    p smallint not null,
    round_on date not null,
    clients integer not null,
    entries integer not null,
    proposed integer not null,
    due integer not null,
    excluded integer not null,
    primary key (company, round_on)
);

create table delivery (
    company text not null,
    p smallint not null,
    client_id text not null,
    action_id uuid not null,
    status text not null,
    status_at timestamptz not null,
    status_on date not null,
    reason text,
    primary key (company, client_id, action_id)
);

create index delivery_trouble on delivery (company, status_on)
    where status in ('failed', 'bounced', 'in_doubt');

create table person (
    company text not null,
    client_id text not null,
    version bigint not null,
    name text,
    search_key text not null,
    sort_key text not null,
    primary key (company, client_id)
);

create index person_sort on person (company, sort_key, client_id);

create table standing (
    company text not null,
    as_of date not null,
    client_id text not null,
    total numeric(18, 4) not null,
    late0 numeric(18, 4) not null,
    late30 numeric(18, 4) not null,
    late60 numeric(18, 4) not null,
    late90 numeric(18, 4) not null,
    ahead30 numeric(18, 4) not null,
    ahead60 numeric(18, 4) not null,
    payment_mode text,
    mixed_modes boolean not null,
    primary key (company, as_of, client_id)
);

create table standing_day (
    company text not null,
    as_of date not null,
    numbers jsonb not null,
    made_at timestamptz not null,
    primary key (company, as_of)
);
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    install(operations)
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    grant(operations, "reporting")
