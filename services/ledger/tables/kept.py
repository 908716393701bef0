"""Kept: personal data, only ever read over HTTP; and what is still to be done, or was done once."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.ledger.tables.columns import FALSE, INSTANT, NO_FIELDS, NOW, company_column, metadata, partition

# what each source says of a client; a source that knows no address takes none away that another knows
person_source = Table(
    "person_source",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("emails", ARRAY(Text), nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("address", JSONB(none_as_null=True)),
    Column("contact_name", Text),
    Column("language", Text),
    Column("fields", JSONB, nullable=False, server_default=NO_FIELDS),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "client_id", "source"),
)

# all sources put together: every address, and else what was told last
person = Table(
    "person",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("emails", ARRAY(Text), nullable=False),
    Column("phones", ARRAY(Text), nullable=False),
    Column("address", JSONB(none_as_null=True)),
    Column("contact_name", Text),
    Column("language", Text),
    Column("fields", JSONB, nullable=False, server_default=NO_FIELDS),
    PrimaryKeyConstraint("company", "client_id"),
)

# free fields that people filled; each stands before what sources say, until it is given back
person_field = Table(
    "person_field",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("changed_at", INSTANT, nullable=False, server_default=NOW),
    Column("changed_by", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

# names of those who look after clients, by the code that events carry
salesperson = Table(
    "salesperson",
    metadata,
    company_column(),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("company", "code"),
)

entry_label = Table(
    "entry_label",
    metadata,
    company_column(),
    Column("entry_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    PrimaryKeyConstraint("company", "entry_id"),
)

entry_field = Table(
    "entry_field",
    metadata,
    company_column(),
    Column("entry_id", Text, nullable=False),
    Column("fields", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "entry_id"),
)

note_text = Table(
    "note_text",
    metadata,
    company_column(),
    Column("note_id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("company", "note_id"),
)


# people of a client besides its main address, by hand or from a source; what a person edited wins over the source
contact = Table(
    "contact",
    metadata,
    company_column(),
    Column("contact_id", Uuid, nullable=False),
    Column("client_id", Text, nullable=False),
    # null: by hand
    Column("source", Text),
    Column("source_key", Text),
    Column("name", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
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

# whose data is not to be kept: what sources say of these clients is left aside
erased_person = Table(
    "erased_person",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("erased_at", INSTANT, nullable=False, server_default=NOW),
    Column("erased_by", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

# an invoice names people, and so may its file's name
document_file = Table(
    "document_file",
    metadata,
    company_column(),
    Column("document_id", Uuid, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("kept_at", INSTANT, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("company", "document_id"),
)

touched_group = Table(
    "touched_group",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lettering", Text, nullable=False),
    partition(),
    # number of sync's event that touched the group last
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "p", "client_id", "account", "lettering"),
)

milestone = Table(
    "milestone",
    metadata,
    company_column(),
    Column("run_id", Uuid, nullable=False),
    partition(),
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
    company_column(),
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
