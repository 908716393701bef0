"""Notify's rows. Never qualified: the search path says which schema.

``DERIVED`` come from events and are rebuilt; each is written from one speaker's stream alone, so that any
interleaving of the streams ends in the same rows. The others are kept: personal data, texts and messages, which no
event carries.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

AMOUNT = Numeric(18, 4)
INSTANT = DateTime(timezone=True)
NOW = text("now()")
FALSE = text("false")


def _company() -> Column[str]:
    return Column("company", Text, nullable=False)


def _p() -> Column[int]:
    return Column("p", SmallInteger, nullable=False)


# From sync's stream.

entry = Table(
    "entry",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    _p(),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("piece", Text, nullable=False),
    Column("entry_date", Date, nullable=False),
    Column("due_date", Date, nullable=False),
    # debit minus credit
    Column("amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("lettering", Text),
    Column("removed", Boolean, nullable=False),
    # the client stands in the key: an entry that accounting moves to another client lives in another partition
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

# From ledger's stream.

company = Table(
    "company",
    metadata,
    Column("company", Text, primary_key=True),
    _p(),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
)

client = Table(
    "client",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    _p(),
    # of the person; 0: nothing was said of it yet
    Column("version", Integer, nullable=False, server_default="0"),
    Column("removed", Boolean, nullable=False, server_default=FALSE),
    Column("stopped", Boolean, nullable=False, server_default=FALSE),
    Column("resumes_on", Date),
    PrimaryKeyConstraint("company", "client_id"),
)

client_merge = Table(
    "client_merge",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    _p(),
    Column("into_client_id", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_merge_into", "company", "into_client_id"),
)

entry_stop = Table(
    "entry_stop",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    _p(),
    Column("resumes_on", Date),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

dispute = Table(
    "dispute",
    metadata,
    _company(),
    Column("dispute_id", Uuid, nullable=False),
    _p(),
    Column("client_id", Text, nullable=False),
    # null: the whole account
    Column("entry_id", Text),
    PrimaryKeyConstraint("company", "dispute_id"),
    Index("dispute_client", "company", "client_id"),
)

promise = Table(
    "promise",
    metadata,
    _company(),
    Column("promise_id", Uuid, nullable=False),
    _p(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("promised_on", Date, nullable=False),
    # neither kept nor cancelled; a broken one is still open
    Column("open", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "promise_id"),
    Index("promise_entry", "company", "client_id", "entry_id", postgresql_where=text("open")),
)

lettering_error = Table(
    "lettering_error",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    _p(),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

# From dunning's stream.

policy = Table(
    "policy",
    metadata,
    Column("company", Text, primary_key=True),
    _p(),
    Column("promises_exclude", Boolean, nullable=False),
    Column("disputes_exclude", Boolean, nullable=False, server_default=FALSE),
)

action = Table(
    "action",
    metadata,
    _company(),
    Column("action_id", Uuid, nullable=False),
    _p(),
    Column("client_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("medium", Text, nullable=False),
    # proposed | due | done | withdrawn
    Column("state", Text, nullable=False),
    # the day on which it last became due; null while it only was proposed
    Column("due_on", Date),
    Column("draft_id", Uuid),
    # as dunning said it
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "action_id"),
    Index("action_due_on", "company", "due_on", "medium"),
    Index("action_client", "company", "client_id"),
)

# From notify's own stream.

outcome = Table(
    "outcome",
    metadata,
    _company(),
    Column("action_id", Uuid, nullable=False),
    _p(),
    Column("client_id", Text, nullable=False),
    # sent | failed | in_doubt | withheld | posted | called | contacted
    Column("kind", Text, nullable=False),
    Column("reason", Text),
    Column("message_id", Text),
    Column("at", INSTANT, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("actor", Text, nullable=False),
    Column("opened_at", INSTANT),
    PrimaryKeyConstraint("company", "action_id"),
    Index("outcome_client", "company", "client_id"),
)

DERIVED = (
    entry,
    company,
    client,
    client_merge,
    entry_stop,
    dispute,
    promise,
    lettering_error,
    policy,
    action,
    outcome,
)

# Kept.

template = Table(
    "template",
    metadata,
    _company(),
    Column("name", Text, nullable=False),
    Column("medium", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "name", "medium", "language"),
)

sender = Table(
    "sender",
    metadata,
    Column("company", Text, primary_key=True),
    Column("body", JSONB, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
)

person = Table(
    "person",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # as ledger answered
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

message = Table(
    "message",
    metadata,
    _company(),
    Column("action_id", Uuid, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("recipients", ARRAY(Text), nullable=False),
    Column("subject", Text, nullable=False),
    # the bytes handed to the mail server; null once the person is erased
    Column("raw", LargeBinary),
    Column("composed_at", INSTANT, nullable=False, server_default=NOW),
    # what the mail server answered, and the recipients it refused
    Column("answer", Text),
    Column("refused", JSONB),
    PrimaryKeyConstraint("company", "action_id"),
    Index("message_client", "company", "client_id"),
)

draft = Table(
    "draft",
    metadata,
    _company(),
    Column("draft_id", Uuid, nullable=False),
    # null: one text for many actions
    Column("action_id", Uuid),
    Column("client_id", Text),
    # null here and below: what is usual
    Column("subject", Text),
    Column("body", Text),
    Column("recipients", ARRAY(Text)),
    Column("copies", ARRAY(Text)),
    Column("sender_name", Text),
    Column("reply_to", Text),
    Column("address", Text),
    Column("written_by", Text, nullable=False),
    Column("written_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "draft_id"),
)

task_comment = Table(
    "task_comment",
    metadata,
    _company(),
    Column("action_id", Uuid, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("written_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "action_id"),
)

copy_address = Table(
    "copy_address",
    metadata,
    _company(),
    Column("copy_id", Uuid, nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    # of the account, when it is one of its users
    Column("user_id", Text),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "copy_id"),
)
