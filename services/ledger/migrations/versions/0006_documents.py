"""Documents of entries: what is attached to which, and the files themselves."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    operations = Operations(op.get_context())
    op.execute("""
        create table document (
            company text not null,
            document_id uuid not null,
            p smallint not null,
            client_id text not null,
            entry_id text not null,
            sha256 text not null,
            bytes integer not null,
            attached_on date not null,
            attached_by text not null,
            primary key (company, document_id)
        )
    """)
    op.execute("create index document_entry on document (company, client_id, entry_id)")
    op.execute("""
        create table document_file (
            company text not null,
            document_id uuid not null,
            file_name text not null,
            content bytea not null,
            kept_at timestamptz default now() not null,
            primary key (company, document_id)
        )
    """)
    # a PDF is compressed already
    op.execute("alter table document_file alter column content set storage external")
    grant(operations, "ledger")
