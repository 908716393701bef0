"""Answers of people to messages, and who has to see to them."""

from alembic import op
from alembic.operations import Operations

from chassis.database import confine, grant

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    create table reply (
        company text not null,
        client_id text not null,
        action_id uuid not null,
        p smallint not null,
        received_on date not null,
        received_at timestamptz not null,
        handled boolean not null,
        primary key (company, client_id, action_id)
    )
    """,
    "create index reply_unhandled on reply (company, received_on) where not handled",
)


def upgrade() -> None:
    operations = Operations(op.get_context())
    for statement in STATEMENTS:
        op.execute(statement)
    grant(operations, "reporting")
    confine(operations, "reporting", "salesperson")
