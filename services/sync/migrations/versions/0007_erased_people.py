"""Clients whose person was erased: what sources say of them is handed to ledger each time."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(
        "create table erased_person (company text not null, client_id text not null, p smallint not null,"
        " primary key (company, client_id))"
    )
    op.execute("create index sample_sent on sample (sent_at)")
    grant(Operations(op.get_context()), "sync")
