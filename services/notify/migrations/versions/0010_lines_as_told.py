"""What sync tells of a client's entries is kept as it is told, not entry by entry."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0010"
down_revision = "0009"

ENTRY = """
    create view entry with (security_invoker = true) as
    select distinct on (told.company, told.client_id, line.entry_id) told.company, told.client_id, line.entry_id,
        told.p, line.account, line.kind, line.piece, line.entry_date, line.due_date, line.amount, line.currency,
        line.lettering, line.removed
    from synced_lines told
    cross join lateral string_to_table(told.lines, chr(30)) with ordinality one(line, n)
    cross join lateral (
        select v[1] as entry_id, v[2] as account, v[3] as kind, v[4] as piece, v[5]::date as entry_date,
            v[6]::date as due_date, v[7]::numeric(18, 4) as amount, v[8] as currency,
            nullif(v[9], '') as lettering, v[10] = 't' as removed
        from (select string_to_array(one.line, chr(29)) as v) spelled
    ) line
    order by told.company, told.client_id, line.entry_id, told.number desc, one.n desc
"""

STATEMENTS = (
    "create table synced_lines (company text not null, client_id text not null, number bigint not null,"
    " p smallint not null, lines text not null, primary key (company, client_id, number))",
    # short for most clients; of the others compressing would cost more than the room
    "alter table synced_lines alter column lines set storage external",
    # whatever is told from now on is newer
    "insert into synced_lines select company, client_id, 0, p, string_agg(concat(entry_id, chr(29), account,"
    " chr(29), kind, chr(29), piece, chr(29), entry_date, chr(29), due_date, chr(29), amount, chr(29), currency,"
    " chr(29), lettering, chr(29), case when removed then 't' else 'f' end), chr(30) order by entry_id)"
    " from entry group by company, client_id, p",
    "drop table entry",
    ENTRY,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
    confine(Operations(op.get_context()), "notify", "salesperson")
