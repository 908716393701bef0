"""Which book released an entry of the year before, so that it can come back with that book."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # the book whose opening lines left the row out; null: it is there, or its own book does not show it any more
    op.execute("alter table source_row add column released_to text")
