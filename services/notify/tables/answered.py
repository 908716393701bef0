"""What people are called, what came back from them, and how they pay."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import AMOUNT, FALSE, INSTANT, NOW, day, instant, money, word
from services.notify.tables.metadata import metadata

person = Table(
    "person",
    metadata,
    word("company"),
    word("client_id"),
    Column("version", Integer, nullable=False),
    # as ledger answered
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

# online payments from the click to the money
payment = Table(
    "payment",
    metadata,
    word("company"),
    Column("payment_id", Uuid, nullable=False),
    word("client_id"),
    money("amount"),
    word("currency"),
    # [{entry_id, amount}]
    Column("entries", JSONB, nullable=False),
    # open | pending (the bank has it) | closed | expired | failed | paid
    word("state"),
    # the provider's name of it, and its page; null until the provider answered
    word("session_id", nullable=True),
    word("url", nullable=True),
    instant("expires_at", nullable=True),
    day("as_of"),
    Column("created_at", INSTANT, nullable=False, server_default=NOW),
    instant("ended_at", nullable=True),
    # the provider's name of the money; null until it was paid
    word("intent", nullable=True),
    # of ``amount``, what went back and what the debtor's bank has not decided on yet
    Column("returned", AMOUNT, nullable=False, server_default="0"),
    Column("contested", AMOUNT, nullable=False, server_default="0"),
    instant("returned_at", nullable=True),
    PrimaryKeyConstraint("company", "payment_id"),
    Index("payment_client", "company", "client_id"),
    Index("payment_intent", "company", "intent"),
)

# what the provider told of money that goes back, perhaps before it told of the payment (payments/going_back)
money_back = Table(
    "money_back",
    metadata,
    word("company"),
    word("intent"),
    # the provider's name of the charge, refund or dispute
    word("name"),
    word("state"),
    money("amount"),
    instant("told_at"),
    PrimaryKeyConstraint("company", "intent", "name"),
)

# whose links to its own pages were taken back, and which are good since; no row: all of them
link_access = Table(
    "link_access",
    metadata,
    word("company"),
    word("client_id"),
    # that of the links which are good
    Column("generation", Integer, nullable=False),
    word("revoked_by"),
    Column("revoked_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id"),
)

# mails that came back, one row per recipient they speak of
report = Table(
    "report",
    metadata,
    word("company"),
    # the same for every reading of the same mail
    word("digest"),
    Column("n", Integer, nullable=False),
    # hard | soft | complaint | delayed | delivered | auto_reply | reply | unknown
    word("kind"),
    word("reason"),
    word("status", nullable=True),
    # null: it speaks of no message of ours, and nothing of the mail is kept here
    Column("action_id", Uuid),
    word("client_id", nullable=True),
    # one of the message's recipients
    word("address", nullable=True),
    # what a person wrote
    word("text", nullable=True),
    Column("read_at", INSTANT, nullable=False, server_default=NOW),
    # wanted | done: ledger is to mark the address
    word("mark", nullable=True),
    # it stands in the archive
    Column("archived", Boolean, nullable=False, server_default=FALSE),
    PrimaryKeyConstraint("company", "digest", "n"),
    Index("report_action", "company", "action_id"),
    Index("report_mark", "company", postgresql_where=text("mark = 'wanted'")),
    Index("report_to_archive", "company", postgresql_where=text("not archived and action_id is not null")),
)

# how each company's drop folder and mailbox fare
mailbox = Table(
    "mailbox",
    metadata,
    word("company"),
    word("place"),
    instant("read_at", nullable=True),
    # a code; null while it can be read
    word("trouble", nullable=True),
    instant("trouble_since", nullable=True),
    PrimaryKeyConstraint("company", "place"),
)

# mails that were read and still lie in a company's mailbox, named as IMAP names them
mailbox_mail = Table(
    "mailbox_mail",
    metadata,
    word("company"),
    Column("validity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    # to be put away; what speaks of no message of ours and what people wrote stays where it is
    Column("away", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "validity", "uid"),
)

# addresses whose owners agreed that opening a message is told
opens_consent = Table(
    "opens_consent",
    metadata,
    word("company"),
    word("client_id"),
    # lower case
    word("email"),
    word("given_by"),
    Column("given_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id", "email"),
)
