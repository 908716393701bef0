"""Secrets of webhooks that were changed twice within the time that was promised to the first."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.execute(
        """
        create table webhook_former_secret (
            company text not null,
            webhook_id uuid not null,
            former_id uuid not null default uuidv7(),
            secret bytea not null,
            until timestamptz not null,
            primary key (company, webhook_id, former_id),
            foreign key (company, webhook_id) references webhook on delete cascade
        )
        """
    )
    grant(Operations(op.get_context()), "reporting")
