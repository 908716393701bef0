"""What a client's own policy says, when clients were contacted and companies read, what may leave by itself."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0004"
down_revision = "0003"

TABLES = """
alter table entry_level add automatic boolean;

alter table exclusion add until date;

create table client_policy (
    company text not null,
    client_id text not null,
    p smallint not null,
    profile text,
    never boolean not null,
    tolerance_days integer,
    tolerance_amount numeric(18, 4),
    primary key (company, client_id)
);

create table contact (
    company text not null,
    client_id text not null,
    action_id uuid not null,
    p smallint not null,
    contacted_on date not null,
    primary key (company, client_id, action_id)
);

create table company_sync (
    company text not null,
    p smallint not null,
    synced_on date not null,
    primary key (company)
)
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "dunning")
