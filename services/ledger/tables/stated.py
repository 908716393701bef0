"""From ledger's own stream."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
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

from services.ledger.tables.columns import AMOUNT, FALSE, INSTANT, company_column, metadata, partition

company = Table(
    "company",
    metadata,
    Column("company", Text, primary_key=True),
    partition(),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("fiscal_year_start", Text, nullable=False),
    Column("dispute_reasons", ARRAY(Text), nullable=False),
)

# a company without a row has the delivered profiles
profile_list = Table(
    "profile_list",
    metadata,
    Column("company", Text, primary_key=True),
    partition(),
    Column("profiles", JSONB, nullable=False),
    Column("default_profile", Text, nullable=False),
    Column("taken_over", JSONB, nullable=False),
)

client = Table(
    "client",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    partition(),
    # the facts last said of the client; 0: a command or a run is about to say the first
    Column("version", Integer, nullable=False, server_default="0"),
    Column("has_email", Boolean, nullable=False, server_default=FALSE),
    Column("has_phone", Boolean, nullable=False, server_default=FALSE),
    Column("has_address", Boolean, nullable=False, server_default=FALSE),
    Column("language", Text, nullable=False, server_default="fr"),
    Column("profile", Text),
    Column("category", Text),
    Column("payment_mode", Text),
    Column("removed", Boolean, nullable=False, server_default=FALSE),
    Column("chosen_profile", Text),
    Column("stopped", Boolean, nullable=False, server_default=FALSE),
    Column("stopped_on", Date),
    Column("stopped_by", Text),
    # the day on which the stop ends by itself
    Column("resumes_on", Date),
    Column("flagged", Boolean, nullable=False, server_default=FALSE),
    # the code of who looks after the client
    Column("salesperson", Text),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_resumes", "company", "resumes_on", postgresql_where=text("resumes_on is not null")),
)

# what the company calls its free fields (rule 19.4); the fields of a client and those of an entry
free_field = Table(
    "free_field",
    metadata,
    company_column(),
    Column("about", Text, nullable=False),
    Column("field", Text, nullable=False),
    partition(),
    Column("place", SmallInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("listed", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "about", "field"),
)

promise = Table(
    "promise",
    metadata,
    company_column(),
    Column("promise_id", Uuid, nullable=False),
    partition(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("amount", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("state", Text, nullable=False),
    Column("recorded_on", Date, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("ended_on", Date),
    PrimaryKeyConstraint("company", "promise_id"),
    Index("promise_client", "company", "client_id"),
    Index("promise_open", "company", "promised_on", postgresql_where=text("state = 'open'")),
)

entry_stop = Table(
    "entry_stop",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    partition(),
    Column("stopped_on", Date, nullable=False),
    Column("stopped_by", Text, nullable=False),
    Column("resumes_on", Date),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
    Index("entry_stop_resumes", "company", "resumes_on", postgresql_where=text("resumes_on is not null")),
)

dispute = Table(
    "dispute",
    metadata,
    company_column(),
    Column("dispute_id", Uuid, nullable=False),
    partition(),
    Column("client_id", Text, nullable=False),
    # null: the whole account
    Column("entry_id", Text),
    Column("reason", Text, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("closed_on", Date),
    Column("closed_by", Text),
    PrimaryKeyConstraint("company", "dispute_id"),
    Index("dispute_client", "company", "client_id"),
)

document = Table(
    "document",
    metadata,
    company_column(),
    Column("document_id", Uuid, nullable=False),
    partition(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("attached_on", Date, nullable=False),
    Column("attached_by", Text, nullable=False),
    PrimaryKeyConstraint("company", "document_id"),
    Index("document_entry", "company", "client_id", "entry_id"),
)

entry_expectation = Table(
    "entry_expectation",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    partition(),
    Column("expected_on", Date, nullable=False),
    Column("set_on", Date, nullable=False),
    Column("set_by", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

client_merge = Table(
    "client_merge",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    partition(),
    Column("into_client_id", Text, nullable=False),
    Column("merged_on", Date, nullable=False),
    Column("merged_by", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
    Index("client_merge_into", "company", "into_client_id"),
)

merged_entry = Table(
    "merged_entry",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("into_entry_id", Text, nullable=False),
    partition(),
    PrimaryKeyConstraint("company", "client_id", "entry_id", "into_entry_id"),
)

note = Table(
    "note",
    metadata,
    company_column(),
    Column("note_id", Uuid, nullable=False),
    partition(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text),
    Column("written_on", Date, nullable=False),
    Column("written_at", INSTANT, nullable=False),
    Column("author", Text, nullable=False),
    Column("mentions", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("company", "note_id"),
    Index("note_client", "company", "client_id"),
)

lettering_error = Table(
    "lettering_error",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    partition(),
    Column("difference", AMOUNT, nullable=False),
    Column("found_on", Date, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

lettered_payment = Table(
    "lettered_payment",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    partition(),
    Column("payments", ARRAY(Text), nullable=False),
    Column("settled", ARRAY(Text), nullable=False),
    Column("paid_on", Date, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)
