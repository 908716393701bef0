"""Mails of mailboxes that could not be read, and since when."""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.execute(
        "alter table mailbox_mail add column trouble text, add column noted_at timestamptz default now() not null"
    )
