"""Who wants the figures of a company by mail every working day."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # a schema made today has it from its first migration
    op.execute("""
        create table if not exists cash_report (
            company text not null,
            account_id uuid not null references account (account_id) on delete cascade,
            hour smallint not null,
            tried_for date,
            sent_for date,
            failures smallint not null default 0,
            failure text,
            primary key (company, account_id)
        )
    """)
    grant(Operations(op.get_context()), "console")
