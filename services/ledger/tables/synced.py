"""From sync's stream."""

from sqlalchemy import Boolean, Column, Date, PrimaryKeyConstraint, Table, Text

from services.ledger.tables.columns import AMOUNT, company_column, metadata, partition

entry = Table(
    "entry",
    metadata,
    company_column(),
    Column("client_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    partition(),
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
    company_column(),
    Column("client_id", Text, nullable=False),
    partition(),
    Column("account", Text, nullable=False),
    Column("currency", Text),
    Column("profile", Text),
    Column("category", Text),
    Column("payment_mode", Text),
    Column("removed", Boolean, nullable=False),
    Column("salesperson", Text),
    PrimaryKeyConstraint("company", "client_id"),
)
