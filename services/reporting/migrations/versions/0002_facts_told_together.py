"""One event may tell of several facts."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("alter table fact add column n integer not null default 0")
    op.execute("alter table fact drop constraint fact_pkey")
    op.execute("alter table fact add primary key (company, p, number, client_id, n)")
