"""The first tables of dunning."""

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
    piece text not null,
    currency text not null,
    amount numeric(18, 4) not null,
    book_amount numeric(18, 4) not null,
    due_date date not null,
    counted_on date not null,
    payment_mode text,
    lettering text,
    removed boolean not null,
    reopened_on date,
    primary key (company, client_id, entry_id)
);
create index entry_unlettered on entry (company, client_id) where lettering is null and not removed;

create table company (
    company text not null,
    p smallint not null,
    currency text not null,
    time_zone text not null,
    primary key (company)
);

create table client (
    company text not null,
    client_id text not null,
    p smallint not null,
    has_email boolean default false not null,
    profile text,
    chosen_profile text,
    payment_mode text,
    stopped boolean default false not null,
    primary key (company, client_id)
);

create table entry_stop (
    company text not null,
    client_id text not null,
    entry_id text not null,
    p smallint not null,
    primary key (company, client_id, entry_id)
);

create table promise (
    company text not null,
    client_id text not null,
    promise_id uuid not null,
    entry_id text not null,
    p smallint not null,
    promised_on date not null,
    primary key (company, client_id, promise_id)
);

create table lettering_error (
    company text not null,
    client_id text not null,
    account text not null,
    lettering text not null,
    p smallint not null,
    primary key (company, client_id, account, lettering)
);

create table policy (
    company text not null,
    p smallint not null,
    version integer not null,
    body jsonb not null,
    set_on date not null,
    primary key (company)
);

create table scenario (
    company text not null,
    profile text not null,
    p smallint not null,
    version integer not null,
    body jsonb not null,
    set_on date not null,
    primary key (company, profile)
);

create table entry_level (
    company text not null,
    client_id text not null,
    entry_id text not null,
    p smallint not null,
    level smallint not null,
    reminded_on date,
    noticed_on date,
    exhausted boolean default false not null,
    primary key (company, client_id, entry_id)
);

create table action (
    company text not null,
    action_id uuid not null,
    client_id text not null,
    p smallint not null,
    profile text not null,
    scenario_version integer not null,
    kind text not null,
    step text not null,
    medium text not null,
    template text,
    currency text not null,
    amount numeric(18, 4) not null,
    net_amount numeric(18, 4) not null,
    book_net_amount numeric(18, 4) not null,
    due_since date not null,
    mode text not null,
    accepted_reasons text[] not null,
    status text not null,
    opened_on date not null,
    confirmed_on date,
    confirmed_by text,
    ended_on date,
    reason text,
    primary key (company, action_id),
    check (status in ('proposed', 'due', 'done', 'withdrawn'))
);
create index action_open on action (company, client_id) where status in ('proposed', 'due');

create table action_entry (
    company text not null,
    client_id text not null,
    entry_id text not null,
    step text not null,
    occurrence integer not null,
    action_id uuid not null,
    p smallint not null,
    amount numeric(18, 4) not null,
    due_date date not null,
    level_before text,
    level_after text,
    primary key (company, client_id, entry_id, step, occurrence)
);

create table exclusion (
    company text not null,
    client_id text not null,
    entry_id text not null,
    p smallint not null,
    step text not null,
    reasons text[] not null,
    primary key (company, client_id, entry_id)
);

create table schedule (
    company text not null,
    p smallint not null,
    client_id text not null,
    next_on date not null,
    primary key (company, p, client_id)
);

create table decided (
    company text not null,
    client_id text not null,
    p smallint not null,
    verdicts json not null,
    decided_on date not null,
    primary key (company, client_id)
);

create view verdict with (security_invoker = true) as
    select company, client_id, e.key as entry_id, p, e.value ->> 0 as status, e.value ->> 1 as step,
        (e.value ->> 2)::date as next_on,
        array(select json_array_elements_text(e.value -> 3)) as reasons, (e.value ->> 4)::uuid as action_id,
        decided_on
    from decided, json_each(verdicts) e;

create table round (
    company text not null,
    as_of date not null,
    status text not null,
    whole boolean not null,
    settings text not null,
    actor text not null,
    correlation_id uuid not null,
    started_at timestamptz default clock_timestamp() not null,
    completed_at timestamptz,
    clients integer default 0 not null,
    entries integer default 0 not null,
    proposed integer default 0 not null,
    due integer default 0 not null,
    steps jsonb default '{}' not null,
    excluded jsonb default '{}' not null,
    excluded_entries integer default 0 not null,
    primary key (company, as_of),
    check (status in ('running', 'completed'))
);
create index round_running on round (company, as_of) where status = 'running';

create table round_partition (
    company text not null,
    as_of date not null,
    p smallint not null,
    reached text default '' not null,
    done boolean default false not null,
    clients integer default 0 not null,
    entries integer default 0 not null,
    proposed integer default 0 not null,
    due integer default 0 not null,
    steps integer[] default '{}' not null,
    primary key (company, as_of, p)
);

create table round_failure (
    company text not null,
    as_of date not null,
    client_id text not null,
    reason text not null,
    primary key (company, as_of, client_id)
)
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    install(operations)
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "dunning")
