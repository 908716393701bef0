"""What reporting remembers: rows made from events, each table from one speaker's stream, and a cache of names.

Amounts are in the currency beside them, ``book_`` amounts in the company's bookkeeping currency. Identities of
entries are UUIDs here and 32 hexadecimal digits outside. ``p`` is the client's partition.
"""

from sqlalchemy import (
    ARRAY,
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
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()


def _text(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _money(name: str, nullable: bool = False) -> Column[object]:
    return Column(name, Numeric(18, 4), nullable=nullable)


def _day(name: str, nullable: bool = True) -> Column[object]:
    return Column(name, Date, nullable=nullable)


def _instant(name: str, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _p() -> Column[int]:
    return Column("p", SmallInteger, nullable=False)


# --- from sync ---

entry = Table(
    "entry",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("entry_id", Uuid, nullable=False),
    _text("account"),
    _text("kind"),
    _text("journal"),
    _text("piece"),
    Column("piece_key", Text(collation="C"), nullable=False),
    _day("entry_date", nullable=False),
    _day("invoice_date"),
    _day("due_date", nullable=False),
    _money("debit"),
    _money("credit"),
    _text("currency"),
    _money("book_amount"),
    _text("payment_mode", nullable=True),
    _text("lettering", nullable=True),
    _day("lettered_on"),
    Column("archived", Boolean, nullable=False),
    Column("is_open", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)
Index(
    "entry_open",
    entry.c.company,
    entry.c.client_id,
    entry.c.due_date,
    postgresql_include=["book_amount", "payment_mode", "entry_id"],
    postgresql_where=text("is_open"),
)
Index(
    "entry_credit",
    entry.c.company,
    entry.c.entry_date,
    postgresql_include=["book_amount", "client_id"],
    postgresql_where=text("credit <> 0 and not archived"),
)
Index("entry_piece", entry.c.company, entry.c.piece_key)

lettering_error = Table(
    "lettering_error",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    _text("account"),
    _text("lettering"),
    _money("difference"),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

synced_account = Table(
    "synced_account",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)
Index("synced_account_number", synced_account.c.company, synced_account.c.p, synced_account.c.number)

synced_partition = Table(
    "synced_partition",
    metadata,
    _text("company"),
    _p(),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "p"),
)

sync_run = Table(
    "sync_run",
    metadata,
    _text("company"),
    _p(),
    Column("run_id", Uuid, nullable=False),
    _text("connector"),
    _text("source"),
    _day("run_on", nullable=False),
    _instant("completed_at", nullable=False),
    Column("entries_read", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("archived", Integer, nullable=False),
    PrimaryKeyConstraint("company", "run_id"),
)
Index("sync_run_completed", sync_run.c.company, sync_run.c.completed_at)

# --- from ledger ---

followed_company = Table(
    "followed_company",
    metadata,
    _text("company"),
    _p(),
    _text("name"),
    _text("time_zone"),
    _text("currency"),
    _text("country"),
    _text("fiscal_year_start"),
    PrimaryKeyConstraint("company"),
)

client = Table(
    "client",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("version", BigInteger, nullable=False, server_default="0"),
    Column("has_email", Boolean, nullable=False, server_default="false"),
    Column("has_phone", Boolean, nullable=False, server_default="false"),
    Column("has_address", Boolean, nullable=False, server_default="false"),
    _text("profile", nullable=True),
    _text("category", nullable=True),
    _text("payment_mode", nullable=True),
    Column("removed", Boolean, nullable=False, server_default="false"),
    _day("stopped_on"),
    _text("stopped_by", nullable=True),
    Column("notes", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("company", "client_id"),
)
Index("client_stopped", client.c.company, postgresql_where=text("stopped_on is not null"))

entry_mark = Table(
    "entry_mark",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("entry_id", Uuid, nullable=False),
    _day("stopped_on"),
    Column("notes", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

promise = Table(
    "promise",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("promise_id", Uuid, nullable=False),
    Column("entry_id", Uuid, nullable=False),
    _money("amount"),
    _text("currency"),
    _day("promised_on", nullable=False),
    _text("status"),
    _day("recorded_on", nullable=False),
    PrimaryKeyConstraint("company", "client_id", "promise_id"),
)
Index("promise_day", promise.c.company, promise.c.status, promise.c.promised_on)

fact = Table(
    "fact",
    metadata,
    _text("company"),
    _p(),
    Column("number", BigInteger, nullable=False),
    _text("client_id"),
    _text("kind"),
    _text("detail", nullable=True),
    Column("entry_ids", ARRAY(Uuid), nullable=False),
    _money("amount", nullable=True),
    _text("currency", nullable=True),
    Column("promise_id", Uuid),
    _day("promised_on"),
    _day("happened_on", nullable=False),
    _instant("happened_at", nullable=False),
    _text("actor"),
    PrimaryKeyConstraint("company", "p", "number"),
)
Index("fact_day", fact.c.company, fact.c.happened_on, fact.c.happened_at)
Index("fact_actor", fact.c.company, fact.c.actor)
Index("fact_client", fact.c.company, fact.c.client_id, fact.c.happened_on, fact.c.happened_at)

# --- from dunning ---

action = Table(
    "action",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("action_id", Uuid, nullable=False),
    _text("profile"),
    _text("kind"),
    _text("step"),
    _text("medium"),
    _text("currency"),
    _money("amount"),
    _money("net_amount"),
    _money("book_net_amount"),
    _day("due_since", nullable=False),
    Column("entry_ids", ARRAY(Uuid), nullable=False),
    _text("status"),
    _day("started_on"),
    _instant("started_at"),
    _text("started_by", nullable=True),
    _day("done_on"),
    _instant("closed_at"),
    _text("reason", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
Index(
    "action_pending",
    action.c.company,
    action.c.medium,
    postgresql_include=["client_id", "book_net_amount", "status"],
    postgresql_where=text("status in ('proposed', 'due')"),
)
Index(
    "action_started",
    action.c.company,
    action.c.started_on,
    action.c.started_at,
    action.c.action_id,
    postgresql_where=text("started_on is not null"),
)
Index("action_starter", action.c.company, action.c.started_by, postgresql_where=text("started_by is not null"))
Index(
    "action_done",
    action.c.company,
    action.c.client_id,
    action.c.done_on,
    postgresql_where=text("status = 'done' and kind = 'reminder'"),
)

entry_level = Table(
    "entry_level",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("entry_id", Uuid, nullable=False),
    _text("level", nullable=True),
    _day("set_on", nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

exclusion = Table(
    "exclusion",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("entry_id", Uuid, nullable=False),
    _text("step"),
    Column("reasons", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

scenario = Table(
    "scenario",
    metadata,
    _text("company"),
    _p(),
    _text("profile"),
    Column("version", Integer, nullable=False),
    Column("with_email", JSONB, nullable=False),
    Column("without_email", JSONB, nullable=False),
    PrimaryKeyConstraint("company", "profile"),
)

policy = Table(
    "policy",
    metadata,
    _text("company"),
    _p(),
    Column("version", Integer, nullable=False),
    _text("default_profile"),
    PrimaryKeyConstraint("company"),
)

dunning_round = Table(
    "dunning_round",
    metadata,
    _text("company"),
    _p(),
    _day("round_on", nullable=False),
    Column("clients", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("proposed", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    PrimaryKeyConstraint("company", "round_on"),
)

# --- from notify ---

delivery = Table(
    "delivery",
    metadata,
    _text("company"),
    _p(),
    _text("client_id"),
    Column("action_id", Uuid, nullable=False),
    _text("status"),
    _instant("status_at", nullable=False),
    _day("status_on", nullable=False),
    _text("reason", nullable=True),
    PrimaryKeyConstraint("company", "client_id", "action_id"),
)
Index(
    "delivery_trouble",
    delivery.c.company,
    delivery.c.status_on,
    postgresql_where=text("status in ('failed', 'bounced', 'in_doubt')"),
)

# --- kept: not derivable from events, left alone by a rebuild ---

person = Table(
    "person",
    metadata,
    _text("company"),
    _text("client_id"),
    Column("version", BigInteger, nullable=False),
    _text("name", nullable=True),
    _text("search_key"),
    _text("sort_key"),
    PrimaryKeyConstraint("company", "client_id"),
)
Index("person_sort", person.c.company, person.c.sort_key, person.c.client_id)

# what every client owes on a day, made on demand from open entries, as new as the partitions it names
standing = Table(
    "standing",
    metadata,
    _text("company"),
    _day("as_of", nullable=False),
    _text("client_id"),
    _money("total"),
    _money("late0"),
    _money("late30"),
    _money("late60"),
    _money("late90"),
    _money("ahead30"),
    _money("ahead60"),
    _text("payment_mode", nullable=True),
    Column("mixed_modes", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "as_of", "client_id"),
)

standing_day = Table(
    "standing_day",
    metadata,
    _text("company"),
    _day("as_of", nullable=False),
    Column("numbers", JSONB, nullable=False),
    _instant("made_at", nullable=False),
    PrimaryKeyConstraint("company", "as_of"),
)

DERIVED: tuple[Table, ...] = (
    entry,
    lettering_error,
    synced_account,
    synced_partition,
    sync_run,
    followed_company,
    client,
    entry_mark,
    promise,
    fact,
    action,
    entry_level,
    exclusion,
    scenario,
    policy,
    dunning_round,
    delivery,
)
