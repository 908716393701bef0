"""Disputes, stops that end, flags, the day on which money is expected."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0003"
down_revision = "0002"

TABLES = """
alter table client add resumes_on date, add flagged boolean default false not null;

create index client_flagged on client (company) where flagged;

alter table entry_mark add resumes_on date, add expected_on date;

create table dispute (
    company text not null,
    p smallint not null,
    client_id text not null,
    dispute_id uuid not null,
    entry_id uuid,
    reason text not null,
    opened_on date not null,
    opened_by text not null,
    closed_on date,
    closed_by text,
    primary key (company, client_id, dispute_id)
);

create index dispute_open on dispute (company, opened_on) where closed_on is null
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "reporting")
