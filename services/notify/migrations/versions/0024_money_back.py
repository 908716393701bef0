"""Money of online payments that went back, and payments on their way."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0024"
down_revision = "0023"

STATEMENTS = (
    "alter table payment add column intent text, add column returned numeric(18, 4) default 0 not null,"
    " add column contested numeric(18, 4) default 0 not null, add column returned_at timestamptz",
    "create index payment_intent on payment (company, intent)",
    """
    create table money_back (
        company text not null,
        intent text not null,
        name text not null,
        state text not null,
        amount numeric(18, 4) not null,
        told_at timestamptz not null,
        primary key (company, intent, name)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant(Operations(op.get_context()), "notify")
