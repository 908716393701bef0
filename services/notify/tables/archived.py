"""The legal archive: records that nobody changes, and beside them what they tell of persons (docs/adr/0045)."""

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, SmallInteger, Table, Uuid

from chassis.columns import day, key, word
from services.notify.tables.metadata import metadata

# no role of this service may change or remove a row
archive = Table(
    "archive",
    metadata,
    word("company"),
    # counts 1, 2, … within the company
    Column("n", BigInteger, nullable=False),
    # email_sent | email_failed | email_in_doubt | email_report | letter_prepared | letter_posted |
    # letter_numbered | call_logged | contact_logged | person_erased |
    # content_expired | person_expired
    word("kind"),
    word("client_id"),
    Column("action_id", Uuid),
    # the record as it was sealed, with the hash of the one before
    word("body"),
    # of the body, hexadecimal
    word("hash"),
    PrimaryKeyConstraint("company", "n"),
    Index("archive_client", "company", "client_id"),
    Index("archive_action", "company", "action_id"),
    comment="append only",
)

# addresses, subjects, answers, numbers of letters; the record has the digest of it
archive_person = Table(
    "archive_person",
    metadata,
    word("company"),
    Column("n", BigInteger, nullable=False),
    word("client_id"),
    word("body"),
    PrimaryKeyConstraint("company", "n"),
)

# the last record of each company
archive_head = Table(
    "archive_head",
    metadata,
    key("company"),
    Column("n", BigInteger, nullable=False),
    word("hash"),
)

# the last day on which contents that had their time were looked for
expired_day = Table(
    "expired_day",
    metadata,
    key("company"),
    day("as_of"),
)

# how far notify's own log is sealed
archive_cursor = Table(
    "archive_cursor",
    metadata,
    Column("p", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
