"""Facts are named by client, payments among them found there; who stated something is kept beside."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0009"
down_revision = "0008"

TABLES = """
drop index fact_actor;

drop index fact_client;

drop index fact_day;

alter table fact drop constraint fact_pkey;

alter table fact add primary key (company, client_id, number, n);

create index fact_day on fact (company, happened_on, happened_at) where kind <> 'payment';

create table author (
    company text not null,
    p smallint not null,
    actor text not null,
    primary key (company, p, actor)
);

insert into author (company, p, actor) select distinct company, p, actor from fact;

drop index entry_open;

create index entry_open on entry (company, client_id, due_date) include (book_amount, payment_mode) where is_open;

drop index entry_credit;

create index entry_credit on entry (company, entry_date) include (book_amount) where credit <> 0 and not archived
"""


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in TABLES.split(";"):
        op.execute(statement)
    grant(operations, "reporting")
