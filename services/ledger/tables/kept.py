"""Kept: personal data, only ever read over HTTP; and what is still to be done, or was done once."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.columns import FALSE, INSTANT, NOW, day, key, partition, word
from services.ledger.tables.metadata import metadata

NO_FIELDS = text("'{}'")

# what each source says of a client; a source that knows no address takes none away that another knows
person_source = Table(
    "person_source",
    metadata,
    word("company"),
    word("client_id"),
    word("source"),
    word("name"),
    Column("emails", ARRAY(Text), nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("address", JSONB(none_as_null=True)),
    word("contact_name", nullable=True),
    word("language", nullable=True),
    Column("fields", JSONB, nullable=False, server_default=NO_FIELDS),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id", "source"),
)

# all sources put together: every address, and else what was told last
person = Table(
    "person",
    metadata,
    word("company"),
    word("client_id"),
    word("name"),
    Column("emails", ARRAY(Text), nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("address", JSONB(none_as_null=True)),
    word("contact_name", nullable=True),
    word("language", nullable=True),
    Column("fields", JSONB, nullable=False, server_default=NO_FIELDS),
    PrimaryKeyConstraint("company", "client_id"),
)

# free fields that people filled; each stands before what sources say, until it is given back
person_field = Table(
    "person_field",
    metadata,
    word("company"),
    word("client_id"),
    Column("fields", JSONB, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    word("changed_by"),
    PrimaryKeyConstraint("company", "client_id"),
)

# names of those who look after clients, by the code that events carry
salesperson = Table(
    "salesperson",
    metadata,
    word("company"),
    word("code"),
    word("name"),
    PrimaryKeyConstraint("company", "code"),
)

entry_label = Table(
    "entry_label",
    metadata,
    word("company"),
    word("entry_id"),
    word("label"),
    PrimaryKeyConstraint("company", "entry_id"),
)

entry_field = Table(
    "entry_field",
    metadata,
    word("company"),
    word("entry_id"),
    Column("fields", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "entry_id"),
)

note_text = Table(
    "note_text",
    metadata,
    word("company"),
    Column("note_id", Uuid, nullable=False),
    word("text"),
    PrimaryKeyConstraint("company", "note_id"),
)


# people of a client besides its main address, by hand or from a source; what a person edited wins over the source
contact = Table(
    "contact",
    metadata,
    word("company"),
    Column("contact_id", Uuid, nullable=False),
    word("client_id"),
    # null: by hand
    word("source", nullable=True),
    word("source_key", nullable=True),
    word("name"),
    word("department"),
    word("email"),
    word("phone"),
    Column("edited", JSONB, nullable=False),
    Column("notices", Boolean, nullable=False, server_default=FALSE),
    # the level from which this contact receives reminders; null: none
    Column("reminders_from", SmallInteger),
    Column("thanks", Boolean, nullable=False, server_default=FALSE),
    Column("in_copy", Boolean, nullable=False, server_default=FALSE),
    # no longer known to its source; a person's edits wait for it to come back
    Column("gone", Boolean, nullable=False, server_default=FALSE),
    # taken away by a person, and not brought back by a source
    Column("removed", Boolean, nullable=False, server_default=FALSE),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "contact_id"),
    UniqueConstraint("company", "client_id", "source", "source_key"),
)

# addresses that do not exist any more, as mails that came back prove; lower case
dead_address = Table(
    "dead_address",
    metadata,
    word("company"),
    word("client_id"),
    word("email"),
    word("reason"),
    Column("marked_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id", "email"),
)

# whose data is not to be kept: what sources say of these clients is left aside
erased_person = Table(
    "erased_person",
    metadata,
    word("company"),
    word("client_id"),
    Column("erased_at", INSTANT, nullable=False, server_default=NOW),
    word("erased_by"),
    PrimaryKeyConstraint("company", "client_id"),
)

# what a debtor sent with a dispute
dispute_file = Table(
    "dispute_file",
    metadata,
    word("company"),
    Column("file_id", Uuid, nullable=False),
    word("client_id"),
    Column("dispute_id", Uuid, nullable=False),
    word("file_name"),
    # application/pdf | image/png | image/jpeg, as the content shows
    word("media_type"),
    Column("content", LargeBinary, nullable=False),
    Column("kept_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "file_id"),
    Index("dispute_file_client", "company", "client_id"),
)

# an invoice names people, and so may its file's name
document_file = Table(
    "document_file",
    metadata,
    word("company"),
    Column("document_id", Uuid, nullable=False),
    word("file_name"),
    Column("content", LargeBinary, nullable=False),
    Column("kept_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "document_id"),
)

touched_client = Table(
    "touched_client",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    # number of sync's event that touched a lettered line of the client last
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "p", "client_id"),
)

milestone = Table(
    "milestone",
    metadata,
    word("company"),
    Column("run_id", Uuid, nullable=False),
    partition(),
    # the groups of this partition are whole again once sync was heard up to here
    Column("number", BigInteger, nullable=False),
    day("as_of"),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid, nullable=False),
    word("traceparent", nullable=True),
    PrimaryKeyConstraint("company", "run_id", "p"),
)

command = Table(
    "command",
    metadata,
    word("company"),
    word("key"),
    word("digest"),
    Column("answer", JSONB, nullable=False),
    Column("answered_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "key"),
)

day_passed = Table(
    "day_passed",
    metadata,
    key("company"),
    day("as_of"),
)
