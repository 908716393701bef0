"""What comes from ledger."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import day, instant, last_said, money, partition, word
from services.reporting.tables.metadata import metadata

followed_company = Table(
    "followed_company",
    metadata,
    word("company"),
    partition(),
    word("name"),
    word("time_zone"),
    word("currency"),
    word("country"),
    word("fiscal_year_start"),
    PrimaryKeyConstraint("company"),
)

# what people read for a profile, by the word that events know it by
profile_names = Table(
    "profile_names",
    metadata,
    word("company"),
    partition(),
    Column("names", JSONB, nullable=False),
    PrimaryKeyConstraint("company"),
)

# a company without a row claims nothing of those who pay late
late_interest_terms = last_said("late_interest_terms", metadata, "terms")

# a company without a row has no objectives
cash_objective = last_said("cash_objective", metadata, "objectives")

client = Table(
    "client",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("has_email", Boolean, nullable=False, server_default="false"),
    Column("has_phone", Boolean, nullable=False, server_default="false"),
    Column("has_address", Boolean, nullable=False, server_default="false"),
    word("profile", nullable=True),
    word("category", nullable=True),
    word("payment_mode", nullable=True),
    Column("removed", Boolean, nullable=False, server_default="false"),
    day("stopped_on", nullable=True),
    word("stopped_by", nullable=True),
    Column("notes", Integer, nullable=False, server_default="0"),
    day("resumes_on", nullable=True),
    Column("flagged", Boolean, nullable=False, server_default="false"),
    # the code of who looks after the client
    word("salesperson", nullable=True),
    PrimaryKeyConstraint("company", "client_id"),
)
Index(
    "client_salesperson",
    client.c.company,
    client.c.salesperson,
    postgresql_where=text("salesperson is not null"),
)
Index("client_stopped", client.c.company, postgresql_where=text("stopped_on is not null"))
Index("client_flagged", client.c.company, postgresql_where=text("flagged"))

# what the company calls its free fields; the fields of a client and those of an entry
free_field = Table(
    "free_field",
    metadata,
    word("company"),
    partition(),
    word("about"),
    word("field"),
    Column("place", SmallInteger, nullable=False),
    word("title"),
    Column("listed", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "about", "field"),
)

entry_mark = Table(
    "entry_mark",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("entry_id", Uuid, nullable=False),
    day("stopped_on", nullable=True),
    Column("notes", Integer, nullable=False, server_default="0"),
    day("resumes_on", nullable=True),
    day("expected_on", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

client_merge = Table(
    "client_merge",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    word("into_client_id"),
    day("merged_on"),
    PrimaryKeyConstraint("company", "client_id"),
)
Index("client_merge_into", client_merge.c.company, client_merge.c.into_client_id)

mention = Table(
    "mention",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("note_id", Uuid, nullable=False),
    word("mentioned"),
    Column("entry_id", Uuid),
    day("noted_on"),
    instant("noted_at"),
    word("noted_by"),
    PrimaryKeyConstraint("company", "client_id", "note_id", "mentioned"),
)
Index("mention_day", mention.c.company, mention.c.mentioned, mention.c.noted_on)

dispute = Table(
    "dispute",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("dispute_id", Uuid, nullable=False),
    Column("entry_id", Uuid),
    word("reason"),
    day("opened_on"),
    word("opened_by"),
    day("closed_on", nullable=True),
    word("closed_by", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "dispute_id"),
)
Index("dispute_open", dispute.c.company, dispute.c.opened_on, postgresql_where=text("closed_on is null"))

promise = Table(
    "promise",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("promise_id", Uuid, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    money("amount"),
    word("currency"),
    day("promised_on"),
    word("status"),
    day("recorded_on"),
    PrimaryKeyConstraint("company", "client_id", "promise_id"),
)
Index("promise_day", promise.c.company, promise.c.status, promise.c.promised_on)

fact = Table(
    "fact",
    metadata,
    word("company"),
    partition(),
    Column("number", BigInteger, nullable=False),
    word("client_id"),
    word("kind"),
    word("detail", nullable=True),
    Column("entry_ids", ARRAY(Uuid), nullable=False),
    money("amount", nullable=True),
    word("currency", nullable=True),
    Column("promise_id", Uuid),
    day("promised_on", nullable=True),
    day("happened_on"),
    instant("happened_at"),
    word("actor"),
    # which of several facts of a client that one event tells; 0 where it tells one
    Column("n", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("company", "client_id", "number", "n"),
)
# payments are many, and listed client by client
Index(
    "fact_day",
    fact.c.company,
    fact.c.happened_on,
    fact.c.happened_at,
    postgresql_where=text("kind <> 'payment'"),
)

# who stated facts: few among many facts
author = Table(
    "author",
    metadata,
    word("company"),
    partition(),
    word("actor"),
    PrimaryKeyConstraint("company", "p", "actor"),
)
