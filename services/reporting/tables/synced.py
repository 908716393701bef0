"""What comes from sync."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid, text

from chassis.columns import day, instant, money, partition, word
from services.reporting.tables.metadata import metadata

entry = Table(
    "entry",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("entry_id", Uuid, nullable=False),
    word("account"),
    word("kind"),
    word("journal"),
    word("piece"),
    Column("piece_key", Text(collation="C"), nullable=False),
    day("entry_date"),
    day("invoice_date", nullable=True),
    day("due_date"),
    money("debit"),
    money("credit"),
    word("currency"),
    money("book_amount"),
    word("payment_mode", nullable=True),
    word("lettering", nullable=True),
    day("lettered_on", nullable=True),
    Column("archived", Boolean, nullable=False),
    Column("is_open", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)
Index(
    "entry_open",
    entry.c.company,
    entry.c.client_id,
    entry.c.due_date,
    postgresql_include=["book_amount", "payment_mode"],
    postgresql_where=text("is_open"),
)
Index(
    "entry_credit",
    entry.c.company,
    entry.c.entry_date,
    postgresql_include=["book_amount"],
    postgresql_where=text("credit <> 0 and not archived"),
)
Index("entry_piece", entry.c.company, entry.c.piece_key)

lettering_error = Table(
    "lettering_error",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    word("account"),
    word("lettering"),
    money("difference"),
    PrimaryKeyConstraint("company", "client_id", "account", "lettering"),
)

synced_account = Table(
    "synced_account",
    metadata,
    word("company"),
    partition(),
    word("client_id"),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)
Index("synced_account_number", synced_account.c.company, synced_account.c.p, synced_account.c.number)

synced_partition = Table(
    "synced_partition",
    metadata,
    word("company"),
    partition(),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("company", "p"),
)

sync_run = Table(
    "sync_run",
    metadata,
    word("company"),
    partition(),
    Column("run_id", Uuid, nullable=False),
    word("connector"),
    word("source"),
    day("run_on"),
    instant("completed_at"),
    Column("entries_read", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("archived", Integer, nullable=False),
    PrimaryKeyConstraint("company", "run_id"),
)
Index("sync_run_completed", sync_run.c.company, sync_run.c.completed_at)
