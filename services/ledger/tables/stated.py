"""From ledger's own stream."""

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.columns import FALSE, day, instant, key, last_said, money, partition, word
from services.ledger.tables.metadata import metadata

company = Table(
    "company",
    metadata,
    key("company"),
    partition(),
    word("name"),
    word("time_zone"),
    word("currency"),
    word("country"),
    word("fiscal_year_start"),
    Column("dispute_reasons", ARRAY(Text), nullable=False),
)

# a company without a row has the delivered profiles
profile_list = Table(
    "profile_list",
    metadata,
    key("company"),
    partition(),
    Column("profiles", JSONB, nullable=False),
    word("default_profile"),
    Column("taken_over", JSONB, nullable=False),
)

# a company without a row claims nothing of those who pay late
late_interest_terms = last_said("late_interest_terms", metadata, "terms")

# a company without a row has no objectives
cash_objective = last_said("cash_objective", metadata, "objectives")

retention = last_said("retention", metadata, "periods")

# clients of whom nothing ends by itself
legal_hold = Table(
    "legal_hold",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    day("placed_on"),
    word("placed_by"),
    PrimaryKeyConstraint("company", "client_id"),
)

client = Table(
    "client",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    # the facts last said of the client; 0: a command or a run is about to say the first
    Column("version", Integer, nullable=False, server_default="0"),
    Column("has_email", Boolean, nullable=False, server_default=FALSE),
    Column("has_phone", Boolean, nullable=False, server_default=FALSE),
    Column("has_address", Boolean, nullable=False, server_default=FALSE),
    Column("language", Text, nullable=False, server_default="fr"),
    word("profile", nullable=True),
    word("category", nullable=True),
    word("payment_mode", nullable=True),
    Column("removed", Boolean, nullable=False, server_default=FALSE),
    word("chosen_profile", nullable=True),
    Column("stopped", Boolean, nullable=False, server_default=FALSE),
    day("stopped_on", nullable=True),
    word("stopped_by", nullable=True),
    # the day on which the stop ends by itself
    day("resumes_on", nullable=True),
    Column("flagged", Boolean, nullable=False, server_default=FALSE),
    # the code of who looks after the client
    word("salesperson", nullable=True),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_resumes", "company", "resumes_on", postgresql_where=text("resumes_on is not null")),
)

# what the company calls its free fields (rule 19.4); the fields of a client and those of an entry
free_field = Table(
    "free_field",
    metadata,
    word("company"),
    word("about"),
    word("field"),
    partition(),
    Column("place", SmallInteger, nullable=False),
    word("title"),
    Column("listed", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "about", "field"),
)

promise = Table(
    "promise",
    metadata,
    word("company"),
    Column("promise_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("entry_id"),
    money("amount"),
    word("currency"),
    day("promised_on"),
    word("state"),
    day("recorded_on"),
    word("recorded_by"),
    day("ended_on", nullable=True),
    PrimaryKeyConstraint("company", "promise_id"),
    Index("promise_client", "company", "client_id"),
    Index("promise_open", "company", "promised_on", postgresql_where=text("state = 'open'")),
)

entry_stop = Table(
    "entry_stop",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    partition(),
    day("stopped_on"),
    word("stopped_by"),
    day("resumes_on", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
    Index("entry_stop_resumes", "company", "resumes_on", postgresql_where=text("resumes_on is not null")),
)

dispute = Table(
    "dispute",
    metadata,
    word("company"),
    Column("dispute_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    # null: the whole account
    word("entry_id", nullable=True),
    word("reason"),
    day("opened_on"),
    word("opened_by"),
    day("closed_on", nullable=True),
    word("closed_by", nullable=True),
    PrimaryKeyConstraint("company", "dispute_id"),
    Index("dispute_client", "company", "client_id"),
)

document = Table(
    "document",
    metadata,
    word("company"),
    Column("document_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("entry_id"),
    word("sha256"),
    Column("bytes", Integer, nullable=False),
    day("attached_on"),
    word("attached_by"),
    PrimaryKeyConstraint("company", "document_id"),
    Index("document_entry", "company", "client_id", "entry_id"),
)

entry_expectation = Table(
    "entry_expectation",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    partition(),
    day("expected_on"),
    day("set_on"),
    word("set_by"),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

client_merge = Table(
    "client_merge",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    word("into_client_id"),
    day("merged_on"),
    word("merged_by"),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_merge_into", "company", "into_client_id"),
)

merged_entry = Table(
    "merged_entry",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    word("into_entry_id"),
    partition(),
    PrimaryKeyConstraint("company", "client_id", "entry_id", "into_entry_id"),
)

note = Table(
    "note",
    metadata,
    word("company"),
    Column("note_id", Uuid, nullable=False),
    partition(),
    word("client_id"),
    word("entry_id", nullable=True),
    day("written_on"),
    instant("written_at"),
    word("author"),
    Column("mentions", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("company", "note_id"),
    Index("note_client", "company", "client_id"),
)

lettering_error = Table(
    "lettering_error",
    metadata,
    word("company"),
    word("client_id"),
    word("account"),
    word("lettering"),
    partition(),
    money("difference"),
    day("found_on"),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

lettered_payment = Table(
    "lettered_payment",
    metadata,
    word("company"),
    word("client_id"),
    word("account"),
    word("lettering"),
    partition(),
    Column("payments", ARRAY(Text), nullable=False),
    Column("settled", ARRAY(Text), nullable=False),
    day("paid_on"),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)
