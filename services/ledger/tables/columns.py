"""Columns as ledger writes them. Never qualified: the search path says which schema."""

from sqlalchemy import Column, DateTime, MetaData, Numeric, SmallInteger, Text, text

metadata = MetaData()

AMOUNT = Numeric(18, 4)
INSTANT = DateTime(timezone=True)
NOW = text("now()")
FALSE = text("false")
NO_FIELDS = text("'{}'")


def company_column() -> Column[str]:
    return Column("company", Text, nullable=False)


def partition() -> Column[int]:
    return Column("p", SmallInteger, nullable=False)
