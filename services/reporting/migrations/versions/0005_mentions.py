"""Who is called on by which note."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table mention (
            company text not null,
            p smallint not null,
            client_id text not null,
            note_id uuid not null,
            mentioned text not null,
            entry_id uuid,
            noted_on date not null,
            noted_at timestamptz not null,
            noted_by text not null,
            primary key (company, client_id, note_id, mentioned)
        )
    """)
    op.execute("create index mention_day on mention (company, mentioned, noted_on)")
    grant(operations, "reporting")
