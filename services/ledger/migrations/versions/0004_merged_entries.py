"""Lines that merges named: each is named once, so that nothing follows it twice."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table merged_entry (
            company text not null,
            client_id text not null,
            entry_id text not null,
            into_entry_id text not null,
            p smallint not null,
            primary key (company, client_id, entry_id, into_entry_id)
        )
    """)
    op.execute("""
        insert into merged_entry (company, client_id, entry_id, into_entry_id, p)
        select log.company, log.client_id, named.entry_id, named.into_entry_id, log.p
        from event_log log,
            jsonb_to_recordset(log.body::jsonb -> 'entries') named(entry_id text, into_entry_id text)
        where log.type = 'ClientMerged'
        on conflict do nothing
    """)
    grant(operations, "ledger")
