"""Files of inlets that were looked at and not fetched yet: one is fetched once it looks the same twice."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0008"
down_revision = "0007"

TABLE = """
create table inlet_look (
    company text not null,
    inlet text not null,
    file text not null,
    size bigint not null,
    modified timestamptz not null,
    -- since when it looks like this
    looked_at timestamptz not null,
    -- why it could not be fetched, told once
    trouble text,
    primary key (company, inlet, file)
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    grant(Operations(op.get_context()), "sync")
