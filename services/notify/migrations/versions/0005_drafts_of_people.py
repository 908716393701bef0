"""What a person writes for a message beside its text: recipients, copies, sender, postal address."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    "alter table draft alter action_id drop not null, alter subject drop not null, alter body drop not null",
    "alter table draft add client_id text, add recipients text[], add copies text[], add sender_name text,"
    " add reply_to text, add address text",
    "create index draft_client on draft (company, client_id) where client_id is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
