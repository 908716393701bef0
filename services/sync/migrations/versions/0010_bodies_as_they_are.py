"""Bodies of events are kept as they were said, not compressed."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # compressing the bulk events of a book, and reading them again for the stream, costs as much as all else that
    # appending them takes
    op.execute("alter table event_log alter column body set storage external")
