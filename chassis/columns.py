"""What the tables of services are made of, each kind written once; columns are null only where it is said."""

from sqlalchemy import Column, Date, DateTime, MetaData, Numeric, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

AMOUNT = Numeric(18, 4)
INSTANT = DateTime(timezone=True)
NOW = text("now()")
FALSE = text("false")


def key(name: str) -> Column[str]:
    """A text that is part of what names a row."""
    return Column(name, Text, primary_key=True)


def word(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def money(name: str, nullable: bool = False) -> Column[object]:
    return Column(name, AMOUNT, nullable=nullable)


def day(name: str, nullable: bool = False) -> Column[object]:
    return Column(name, Date, nullable=nullable)


def instant(name: str, nullable: bool = False) -> Column[object]:
    return Column(name, INSTANT, nullable=nullable)


def partition() -> Column[int]:
    """Of the event that a derived row comes from (``contracts.subjects.PARTITIONS``)."""
    return Column("p", SmallInteger, nullable=False)


def last_said(name: str, metadata: MetaData, column: str) -> Table:
    """A row a company, ``column`` being the body of the event that said it last (``heard_rows.keeping_last``)."""
    return Table(name, metadata, key("company"), partition(), Column(column, JSONB, nullable=False))
