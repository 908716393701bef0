"""A slot looks into an inlet, or has a connector read its base."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("alter table slot add column connector text, alter column inlet drop not null")
    op.execute("alter table slot add constraint slot_of_one check (num_nonnulls(inlet, connector) = 1)")
