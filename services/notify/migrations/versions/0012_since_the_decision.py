"""When promises, disputes and decisions came, so that what came since the decision holds a message back."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("alter table action add due_at timestamptz")
    op.execute("alter table promise add recorded_at timestamptz")
    op.execute("alter table dispute add opened_at timestamptz")
