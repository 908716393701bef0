"""Whose lettering groups are to be judged again is told by client; bodies of events are kept as they were said."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant
from chassis.portfolio import confine

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        create table touched_client (
            company text not null,
            p smallint not null,
            client_id text not null,
            number bigint not null,
            primary key (company, p, client_id)
        )
    """)
    op.execute("""
        insert into touched_client (company, p, client_id, number)
        select company, p, client_id, max(number) from touched_group group by company, p, client_id
    """)
    op.execute("drop table touched_group")
    # as in sync: compressing what is said of a book's payments and reading it again for the stream costs as much
    # as saying it
    op.execute("alter table event_log alter column body set storage external")
    # a row is made to be locked and filled a moment later: with room beside it no index learns of that
    op.execute("alter table client set (fillfactor = 60)")
    operations = Operations(op.get_context())
    grant(operations, "ledger")
    confine(operations, "ledger", "salesperson")
