"""Companies at rest, for which nothing is done until they are deleted or kept."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # a schema made today has it from its first migration
    op.execute(
        "create table if not exists company_hold (company text primary key,"
        " since timestamptz not null default now(), held_by text not null, until date not null,"
        " export_sha256 text)"
    )
    grant(Operations(op.get_context()), "sync")
