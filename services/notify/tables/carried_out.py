"""Rows from notify's own stream: what became of actions."""

from sqlalchemy import Boolean, Column, Index, PrimaryKeyConstraint, Table, Uuid

from chassis.columns import day, instant, partition, word
from services.notify.tables.metadata import metadata

outcome = Table(
    "outcome",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    # sent | failed | in_doubt | withheld | prepared | called | contacted
    word("kind"),
    word("reason", nullable=True),
    word("message_id", nullable=True),
    instant("at"),
    day("as_of"),
    word("actor"),
    instant("opened_at", nullable=True),
    # a machine did, as far as one can tell; not the person
    instant("fetched_at", nullable=True),
    # hard | soft | complaint: it came back
    word("bounced", nullable=True),
    PrimaryKeyConstraint("company", "action_id"),
    Index("outcome_client", "company", "client_id"),
)

posting = Table(
    "posting",
    metadata,
    word("company"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    day("posted_on"),
    Column("registered", Boolean, nullable=False),
    instant("at"),
    word("actor"),
    PrimaryKeyConstraint("company", "action_id"),
    Index("posting_client", "company", "client_id"),
)

# lines that debtors paid online; not reminded of until accounting letters them (rule 8.6)
online_payment = Table(
    "online_payment",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    Column("payment_id", Uuid, nullable=False),
    partition(),
    day("paid_on"),
    PrimaryKeyConstraint("company", "client_id", "entry_id", "payment_id"),
)

# messages that a person answered: the last answer of each (rule 22.33)
reply = Table(
    "reply",
    metadata,
    word("company"),
    word("client_id"),
    Column("action_id", Uuid, nullable=False),
    partition(),
    # when it was read here
    instant("received_at"),
    # since when somebody has seen to it
    instant("handled_at", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
