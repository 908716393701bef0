"""Disputes, and the day on which a stop ends by itself."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0002"
down_revision = "0001"

TABLES = """
alter table client add resumes_on date;

alter table entry_stop add resumes_on date;

create table dispute (
    company text not null,
    client_id text not null,
    dispute_id uuid not null,
    entry_id text,
    p smallint not null,
    primary key (company, client_id, dispute_id)
)
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "dunning")
