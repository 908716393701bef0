"""Ledger's rows. Never qualified: the search path says which schema.

``DERIVED`` come from events and are rebuilt; each is written from one speaker's stream alone, so that any
interleaving of the streams ends in the same rows. The others are kept: personal data, which no event carries, and
the memory of what is still to be done.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
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
    Column("journal", Text, nullable=False),
    Column("piece", Text, nullable=False),
    Column("entry_date", Date, nullable=False),
    Column("invoice_date", Date),
    Column("due_date", Date, nullable=False),
    Column("debit", AMOUNT, nullable=False),
    Column("credit", AMOUNT, nullable=False),
    Column("currency", Text, nullable=False),
    Column("book_amount", AMOUNT, nullable=False),
    Column("payment_mode", Text),
    Column("lettering", Text),
    Column("lettered_on", Date),
    Column("removed", Boolean, nullable=False),
    # the client stands in the key: an entry that accounting moves to another client lives in another partition
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

synced_client = Table(
    "synced_client",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    _p(),
    Column("account", Text, nullable=False),
    Column("currency", Text),
    Column("profile", Text),
    Column("category", Text),
    Column("payment_mode", Text),
    Column("removed", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

# From ledger's own stream.

company = Table(
    "company",
    metadata,
    Column("company", Text, primary_key=True),
    _p(),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("fiscal_year_start", Text, nullable=False),
)

client = Table(
    "client",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    _p(),
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
    PrimaryKeyConstraint("company", "client_id"),
)

promise = Table(
    "promise",
    metadata,
    _company(),
    Column("promise_id", Uuid, nullable=False),
    _p(),
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
    _company(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    _p(),
    Column("stopped_on", Date, nullable=False),
    Column("stopped_by", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

note = Table(
    "note",
    metadata,
    _company(),
    Column("note_id", Uuid, nullable=False),
    _p(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text),
    Column("written_on", Date, nullable=False),
    Column("written_at", INSTANT, nullable=False),
    Column("author", Text, nullable=False),
    PrimaryKeyConstraint("company", "note_id"),
    Index("note_client", "company", "client_id"),
)

lettering_error = Table(
    "lettering_error",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    _p(),
    Column("difference", AMOUNT, nullable=False),
    Column("found_on", Date, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

lettered_payment = Table(
    "lettered_payment",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    _p(),
    Column("payments", ARRAY(Text), nullable=False),
    Column("settled", ARRAY(Text), nullable=False),
    Column("paid_on", Date, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

DERIVED = (
    entry,
    synced_client,
    company,
    client,
    promise,
    entry_stop,
    note,
    lettering_error,
    lettered_payment,
)

# Kept: personal data, only ever read over HTTP.

# what each source says of a client; a source that knows no address takes none away that another knows
person_source = Table(
    "person_source",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("emails", ARRAY(Text), nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("address", JSONB(none_as_null=True)),
    Column("contact_name", Text),
    Column("language", Text),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id", "source"),
)

# all sources put together: every address, and else what was told last
person = Table(
    "person",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("emails", ARRAY(Text), nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("address", JSONB(none_as_null=True)),
    Column("contact_name", Text),
    Column("language", Text),
    PrimaryKeyConstraint("company", "client_id"),
)

entry_label = Table(
    "entry_label",
    metadata,
    _company(),
    Column("entry_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    PrimaryKeyConstraint("company", "entry_id"),
)

note_text = Table(
    "note_text",
    metadata,
    _company(),
    Column("note_id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("company", "note_id"),
)

# Kept: what is still to be done, or was done once.

touched_group = Table(
    "touched_group",
    metadata,
    _company(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    _p(),
    # number of sync's event that touched the group last
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "p", "client_id", "account", "lettering"),
)

milestone = Table(
    "milestone",
    metadata,
    _company(),
    Column("run_id", Uuid, nullable=False),
    _p(),
    # the groups of this partition are whole again once sync was heard up to here
    Column("number", BigInteger, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid, nullable=False),
    Column("traceparent", Text),
    PrimaryKeyConstraint("company", "run_id", "p"),
)

command = Table(
    "command",
    metadata,
    _company(),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("answered_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "key"),
)

day_passed = Table(
    "day_passed",
    metadata,
    Column("company", Text, primary_key=True),
    Column("as_of", Date, nullable=False),
)
