"""Generated books of any size: a FEC of invoices, payments and lettering codes, always the same for a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from cli.demo_book import HEADER

CLOSING = date(2026, 12, 31)
FILE_NAME = f"900000002FEC{CLOSING:%Y%m%d}.txt"
ENTRIES_PER_CLIENT = 10


def write_fec(
    path: Path, entries: int, *, clients: int | None = None, open_share: float = 0.3, seed: int = 7
) -> int:
    """Write a FEC with ``entries`` customer lines over ``clients`` (one for ten lines); return their number.

    About ``open_share`` of the lines carry no lettering code. Every customer line has its counterpart, so each
    bookkeeping entry balances.
    """
    clients = clients or max(1, entries // ENTRIES_PER_CLIENT)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(HEADER) + "\r\n")
        for line in _lines(Random(seed), entries, clients, open_share):
            file.write("\t".join(line) + "\r\n")
    return clients


@dataclass(frozen=True, slots=True)
class _Booking:
    journal: tuple[str, str, str]
    day: date
    client: str
    piece: str
    label: str
    amount: str
    code: str
    lettered_on: date

    def lines(self, *, debit: bool) -> Iterator[tuple[str, ...]]:
        """The customer's line and its counterpart."""
        stamp = f"{self.day:%Y%m%d}"
        sides = (self.amount, "0,00") if debit else ("0,00", self.amount)
        letters = (self.code, f"{self.lettered_on:%Y%m%d}") if self.code else ("", "")
        piece = (self.piece, stamp, self.label)
        client = ("41100000", "Clients", self.client, f"Client {self.client}")
        other = ("70600000", "Prestations", "", "") if debit else ("51200000", "Banque", "", "")
        yield (*self.journal, stamp, *client, *piece, *sides, *letters, stamp, "", "")
        yield (*self.journal, stamp, *other, *piece, *reversed(sides), "", "", stamp, "", "")


def _lines(random: Random, entries: int, clients: int, open_share: float) -> Iterator[tuple[str, ...]]:
    written = 0
    number = 0
    start = CLOSING - timedelta(days=364)
    while written < entries:
        number += 1
        client = f"C{random.randrange(clients):06d}"
        day = start + timedelta(days=random.randrange(330))
        amount = f"{random.randrange(1000, 900_000) / 100:.2f}".replace(".", ",")
        lettered = random.random() > open_share and written + 2 <= entries
        code = f"L{number:07d}" if lettered else ""
        paid = day + timedelta(days=random.randrange(20, 34))
        sale, receipt = ("VE", "Ventes", f"VE{number}"), ("BQ", "Banque", f"BQ{number}")
        invoice = _Booking(sale, day, client, f"F{number}", f"Facture F{number}", amount, code, paid)
        yield from invoice.lines(debit=True)
        written += 1
        if lettered:
            payment = _Booking(receipt, paid, client, f"V{number}", f"Règlement F{number}", amount, code, paid)
            yield from payment.lines(debit=False)
            written += 1
