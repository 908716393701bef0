"""What this PostgreSQL does at best: the same rows, loaded plainly by COPY into a table of their width."""

import time
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import psycopg

Row = tuple[
    str, str, str, str, str, str, date, date, date, Decimal, Decimal, str, Decimal, str | None, date | None
]

TABLE = """
create temp table plain_load (
    entry_id text primary key, client_id text not null, account text not null, kind text not null,
    journal text not null, piece text not null, entry_date date not null, invoice_date date not null,
    due_date date not null, debit numeric(18, 4) not null, credit numeric(18, 4) not null, currency text not null,
    book_amount numeric(18, 4) not null, lettering text, lettered_on date
)
"""


def plain_load(dsn: str, rows: Iterable[Row], chunk: int = 10_000) -> float:
    """Rows per second of a COPY with a commit per ``chunk`` into a 15-column table with key and index."""
    count = 0
    with psycopg.connect(dsn) as connection:
        connection.execute(TABLE)
        connection.execute("create index on plain_load (client_id)")
        connection.commit()
        batch: list[Row] = []
        started = time.perf_counter()
        for row in rows:
            batch.append(row)
            if len(batch) == chunk:
                _copy(connection, batch)
                count += len(batch)
                batch.clear()
        _copy(connection, batch)
        count += len(batch)
        return count / (time.perf_counter() - started)


def _copy(connection: psycopg.Connection, rows: list[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy plain_load from stdin") as copy:
        for row in rows:
            copy.write_row(row)
    connection.commit()


def rows_of_entries(n: int) -> Iterator[Row]:
    """Rows of the width of an entry, as many as the file held."""
    start = date(2026, 1, 1)
    for number in range(n):
        day = start + timedelta(days=number % 330)
        amount = Decimal(number % 90_000) / 100
        yield (
            f"{number:032x}", f"C{number % 20_000:06d}", "41100000", "invoice", "VE", f"F{number}", day, day,
            day + timedelta(days=30), amount, Decimal(0), "EUR", amount, None, None,
        )  # fmt: skip
