"""What was done under codes that were merged."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0009"
down_revision = "0008"

TABLES = (
    """
    create table thanked_before (
        company text not null,
        client_id text not null,
        entry_id text not null,
        p smallint not null,
        primary key (company, client_id, entry_id)
    )
    """,
    """
    create table contact_before (
        company text not null,
        client_id text not null,
        from_client_id text not null,
        place smallint not null,
        p smallint not null,
        contacted_on date not null,
        round_on date,
        primary key (company, client_id, from_client_id, place)
    )
    """,
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    grant(Operations(op.get_context()), "dunning")
