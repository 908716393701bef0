"""Verdicts are kept as text, with room beside them for those of the next look."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0015"
down_revision = "0014"

STATEMENTS = (
    "drop view verdict",
    # most of what is rewritten each day changes with the day: it finds room in its page, and no index is touched
    "alter table decided set (fillfactor = 60)",
    # written by this service alone, which spells it: to check that it is JSON took a fifth of writing it
    "alter table decided alter column verdicts type text",
    """
    create view verdict with (security_invoker = true) as
        select company, client_id, e.entry_id, p, g.value #>> '{0,0}' as status, g.value #>> '{0,1}' as step,
            (g.value #>> '{0,2}')::date as next_on,
            array(select json_array_elements_text(g.value #> '{0,3}')) as reasons,
            (g.value #>> '{0,4}')::uuid as action_id, decided_on
        from decided, json_array_elements(verdicts::json) g, json_array_elements_text(g.value -> 1) e(entry_id)
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "dunning")
