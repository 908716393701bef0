"""The columns that the tables of services are made of, each kind written once; null only where it is said."""

from sqlalchemy import Column, Date, DateTime, Numeric, SmallInteger, Text, text

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
