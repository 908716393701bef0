"""What no event holds or what is only a shortcut: left alone by a rebuild."""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

from chassis.columns import day, instant, money, word
from services.reporting.tables.metadata import metadata

person = Table(
    "person",
    metadata,
    word("company"),
    word("client_id"),
    Column("version", BigInteger, nullable=False),
    word("name", nullable=True),
    word("search_key"),
    word("sort_key"),
    PrimaryKeyConstraint("company", "client_id"),
)
Index("person_sort", person.c.company, person.c.sort_key, person.c.client_id)

# what the free fields of clients hold; ``key`` is the folded form that filters ask for
client_field = Table(
    "client_field",
    metadata,
    word("company"),
    word("client_id"),
    word("field"),
    word("value"),
    word("key"),
    PrimaryKeyConstraint("company", "client_id", "field"),
)
Index(
    "client_field_key", client_field.c.company, client_field.c.field, client_field.c.key, client_field.c.client_id
)

salesperson = Table(
    "salesperson",
    metadata,
    word("company"),
    word("code"),
    word("name"),
    word("sort_key"),
    PrimaryKeyConstraint("company", "code"),
)

# what every client owes on a day, made on demand from open entries, as new as the partitions it names
standing = Table(
    "standing",
    metadata,
    word("company"),
    day("as_of"),
    word("client_id"),
    money("total"),
    money("late0"),
    money("late30"),
    money("late60"),
    money("late90"),
    money("ahead30"),
    money("ahead60"),
    word("payment_mode", nullable=True),
    Column("mixed_modes", Boolean, nullable=False),
    PrimaryKeyConstraint("company", "as_of", "client_id"),
)

standing_day = Table(
    "standing_day",
    metadata,
    word("company"),
    day("as_of"),
    Column("numbers", JSONB, nullable=False),
    instant("made_at"),
    PrimaryKeyConstraint("company", "as_of"),
)
