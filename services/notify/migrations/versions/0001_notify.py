"""The first tables of notify."""

from alembic import op

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
    entry_date date not null,
    due_date date not null,
    amount numeric(18, 4) not null,
    currency text not null,
    lettering text,
    removed boolean not null,
    primary key (company, client_id, entry_id)
);

create table company (
    company text not null,
    p smallint not null,
    name text not null,
    time_zone text not null,
    currency text not null,
    primary key (company)
);

create table client (
    company text not null,
    client_id text not null,
    p smallint not null,
    version integer default '0' not null,
    removed boolean default false not null,
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
    promise_id uuid not null,
    p smallint not null,
    client_id text not null,
    entry_id text not null,
    promised_on date not null,
    open boolean not null,
    primary key (company, promise_id)
);

create index promise_entry on promise (company, client_id, entry_id) where open;

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
    promises_exclude boolean not null,
    primary key (company)
);

create table action (
    company text not null,
    action_id uuid not null,
    p smallint not null,
    client_id text not null,
    step text not null,
    medium text not null,
    state text not null,
    due_on date,
    draft_id uuid,
    body jsonb not null,
    primary key (company, action_id)
);

create index action_client on action (company, client_id);

create index action_due_on on action (company, due_on, medium);

create table outcome (
    company text not null,
    action_id uuid not null,
    p smallint not null,
    client_id text not null,
    kind text not null,
    reason text,
    message_id text,
    at timestamptz not null,
    as_of date not null,
    actor text not null,
    opened_at timestamptz,
    primary key (company, action_id)
);

create index outcome_client on outcome (company, client_id);

create table template (
    company text not null,
    name text not null,
    medium text not null,
    language text not null,
    subject text not null,
    body text not null,
    changed_by text not null,
    changed_at timestamptz default now() not null,
    primary key (company, name, medium, language)
);

create table sender (
    company text not null,
    body jsonb not null,
    changed_by text not null,
    changed_at timestamptz default now() not null,
    primary key (company)
);

create table person (
    company text not null,
    client_id text not null,
    version integer not null,
    body jsonb not null,
    primary key (company, client_id)
);

create table message (
    company text not null,
    action_id uuid not null,
    client_id text not null,
    message_id text not null,
    recipients text[] not null,
    subject text not null,
    raw bytea,
    composed_at timestamptz default now() not null,
    answer text,
    refused jsonb,
    primary key (company, action_id)
);

create index message_client on message (company, client_id);

create table draft (
    company text not null,
    draft_id uuid not null,
    action_id uuid not null,
    subject text not null,
    body text not null,
    written_by text not null,
    written_at timestamptz default now() not null,
    primary key (company, draft_id)
);

create table task_comment (
    company text not null,
    action_id uuid not null,
    client_id text not null,
    comment text not null,
    written_by text not null,
    written_at timestamptz default now() not null,
    primary key (company, action_id)
)
"""


def upgrade() -> None:
    install(op)
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(op, "notify")
