"""The country whose holidays count, copies, payments to thank for, and every version of a scenario."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0005"
down_revision = "0004"

TABLES = """
alter table company add country text not null default 'FR';

alter table action add copies uuid[] not null default '{}';

create table paid_group (
    company text not null,
    client_id text not null,
    payment_id text not null,
    p smallint not null,
    payments text[] not null,
    settled text[] not null,
    paid_on date not null,
    primary key (company, client_id, payment_id)
);
create index paid_group_on on paid_group (company, client_id, paid_on);

create table scenario_version (
    company text not null,
    profile text not null,
    version integer not null,
    p smallint not null,
    body jsonb not null,
    set_on date not null,
    actor text not null,
    said_at timestamptz not null,
    primary key (company, profile, version)
);

insert into scenario_version (company, profile, version, p, body, set_on, actor, said_at)
select company, body ->> 'profile', (body ->> 'version')::integer, p, body::jsonb, as_of, actor, occurred_at
from event_log where type = 'ScenarioPublished'
on conflict do nothing
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "dunning")
