"""Sync's rows. Never qualified: the search path says which schema.

``company`` and ``erased_person`` come from ledger's stream and are rebuilt. All others are kept: they are sync's
memory of what the sources showed last, which no event can give back, its runs and its uploads.
"""

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, SmallInteger, Table, Text

metadata = MetaData()

company = Table(
    "company",
    metadata,
    Column("company", Text, primary_key=True),
    Column("p", SmallInteger, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("fiscal_year_start", Text, nullable=False),
)

erased_person = Table(
    "erased_person",
    metadata,
    Column("company", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("p", SmallInteger, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

DERIVED = (company, erased_person)
