"""Columns as reporting writes them."""

from sqlalchemy import Column, Date, DateTime, MetaData, Numeric, SmallInteger, Text

metadata = MetaData()


def word(name: str, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def money(name: str, nullable: bool = False) -> Column[object]:
    return Column(name, Numeric(18, 4), nullable=nullable)


def day(name: str, nullable: bool = True) -> Column[object]:
    return Column(name, Date, nullable=nullable)


def instant(name: str, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def partition() -> Column[int]:
    return Column("p", SmallInteger, nullable=False)
