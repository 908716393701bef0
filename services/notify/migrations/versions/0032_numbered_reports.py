"""What became of each daily report, by its number."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.execute(
        """
        create table cash_report (
            company text not null,
            report_id uuid not null,
            message_id text not null,
            state text not null,
            words text not null default '',
            until timestamptz not null,
            changed_at timestamptz default now() not null,
            primary key (company, report_id)
        )
        """
    )
    grant(Operations(op.get_context()), "notify")
