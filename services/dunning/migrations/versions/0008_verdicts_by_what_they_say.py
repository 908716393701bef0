"""Verdicts of a client are kept once for all the entries that share them."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    "drop view verdict",
    """
    update decided set verdicts = (
        select coalesce(json_agg(json_build_array(one.verdict::json, one.entries)), '[]') from (
            select e.value::text as verdict, json_agg(e.key) as entries
            from json_each(decided.verdicts) e group by e.value::text
        ) one
    )
    """,
    """
    create view verdict with (security_invoker = true) as
        select company, client_id, e.entry_id, p, g.value #>> '{0,0}' as status, g.value #>> '{0,1}' as step,
            (g.value #>> '{0,2}')::date as next_on,
            array(select json_array_elements_text(g.value #> '{0,3}')) as reasons,
            (g.value #>> '{0,4}')::uuid as action_id, decided_on
        from decided, json_array_elements(verdicts) g, json_array_elements_text(g.value -> 1) e(entry_id)
    """,
    # both change with every look at a client
    "alter table schedule set (fillfactor = 70)",
    "alter table decided set (fillfactor = 85)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "dunning")
