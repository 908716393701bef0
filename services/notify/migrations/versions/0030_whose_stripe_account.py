"""Whose account at Stripe a company's key is."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.execute("alter table payment_account add column account_id text")
