"""From sync's stream."""

from sqlalchemy import Boolean, Column, PrimaryKeyConstraint, Table

from chassis.columns import day, money, partition, word
from services.ledger.tables.metadata import metadata

entry = Table(
    "entry",
    metadata,
    word("company"),
    word("client_id"),
    word("entry_id"),
    partition(),
    word("account"),
    word("kind"),
    word("journal"),
    word("piece"),
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
    Column("removed", Boolean, nullable=False),
    # the client stands in the key: an entry that accounting moves to another client lives in another partition
    PrimaryKeyConstraint("company", "client_id", "entry_id"),
)

synced_client = Table(
    "synced_client",
    metadata,
    word("company"),
    word("client_id"),
    partition(),
    word("account"),
    word("currency", nullable=True),
    word("profile", nullable=True),
    word("category", nullable=True),
    word("payment_mode", nullable=True),
    Column("removed", Boolean, nullable=False),
    word("salesperson", nullable=True),
    PrimaryKeyConstraint("company", "client_id"),
)
