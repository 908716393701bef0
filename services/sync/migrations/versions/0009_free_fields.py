"""Free fields of entries, who looks after clients, and the columns of a FEC that hold free fields."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("alter table source_client add salesperson text")
    # what the free fields of an entry held; null: nothing
    op.execute("alter table keyed_entry add fields uuid")
    op.execute("alter table import_settings add fields jsonb default '{}' not null")
