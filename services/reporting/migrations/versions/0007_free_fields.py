"""What a company calls its free fields and what they hold, and who looks after a client."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0007"
down_revision = "0006"

TABLES = """
alter table client add salesperson text;

create index client_salesperson on client (company, salesperson) where salesperson is not null;

create table free_field (
    company text not null,
    p smallint not null,
    about text not null,
    field text not null,
    place smallint not null,
    title text not null,
    listed boolean not null,
    primary key (company, about, field)
);

create table client_field (
    company text not null,
    client_id text not null,
    field text not null,
    value text not null,
    key text not null,
    primary key (company, client_id, field)
);

create index client_field_key on client_field (company, field, key, client_id);

create table salesperson (
    company text not null,
    code text not null,
    name text not null,
    sort_key text not null,
    primary key (company, code)
);
"""


def upgrade() -> None:
    for statement in TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    grant(Operations(op.get_context()), "reporting")
