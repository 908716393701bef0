"""Companies' own accounts at Stripe."""

from alembic import op
from alembic.operations import Operations

from chassis.database import grant

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute(
        """
        create table payment_account (
            company text primary key,
            api_key bytea not null,
            webhook_secret bytea not null,
            live boolean not null,
            methods text[] not null,
            minimum numeric(18, 4) not null,
            maximum numeric(18, 4),
            use_credits boolean not null,
            changed_by text not null,
            changed_at timestamptz default now() not null,
            heard_at timestamptz
        )
        """
    )
    grant(Operations(op.get_context()), "notify")
