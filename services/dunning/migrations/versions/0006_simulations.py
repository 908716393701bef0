"""Simulations: what was asked, the parts they are worked on in, their results; what a contact costs."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0006"
down_revision = "0005"

TABLES = """
create table contact_cost (
    company text not null,
    email numeric(18, 4) not null,
    letter numeric(18, 4) not null,
    phone numeric(18, 4) not null,
    other numeric(18, 4) not null,
    primary key (company)
);

create table simulation (
    company text not null,
    simulation_id uuid not null,
    asked_by text not null,
    asked_at timestamptz default clock_timestamp() not null,
    kind text not null,
    first_on date not null,
    last_on date not null,
    asked jsonb not null,
    rules jsonb not null,
    status text default 'waiting' not null,
    parts integer,
    parts_done integer default 0 not null,
    started_at timestamptz,
    ended_at timestamptz,
    facts jsonb default '{}' not null,
    result jsonb,
    reason text,
    primary key (company, simulation_id),
    check (kind in ('ahead', 'behind')),
    check (status in ('waiting', 'running', 'completed', 'cancelled', 'failed'))
);
create index simulation_asked on simulation (company, asked_at);

create table simulation_part (
    company text not null,
    simulation_id uuid not null,
    part smallint not null,
    counts jsonb not null,
    calendar jsonb not null,
    current_calendar jsonb,
    really jsonb,
    undecided text[] default '{}' not null,
    primary key (company, simulation_id, part),
    foreign key (company, simulation_id) references simulation on delete cascade
);

create table simulation_difference (
    company text not null,
    simulation_id uuid not null,
    client_id text not null,
    part smallint not null,
    kinds text[] not null,
    before integer not null,
    after integer not null,
    lost jsonb not null,
    gained jsonb not null,
    primary key (company, simulation_id, client_id),
    foreign key (company, simulation_id) references simulation on delete cascade
)
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "dunning")
