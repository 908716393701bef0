"""Customer lines on their way into the database: one text in PostgreSQL's COPY format per batch.

``entry`` is the JSON of ``SyncedEntry`` but for its id, its kind (known when the whole file was read) and its
removal; ``state`` is the digest of it, so that equal states mean nothing to say. ``row_key`` is the digest of
everything that makes a line the line it is, and that neither lettering nor a renamed account or client touches:
equal lines share it; of a line with a key of the source's own, that key. An empty ``lettering`` is none; the kind
that the source ``told`` is empty where the journal tells it.
"""

from collections.abc import Sequence
from datetime import date
from json.encoder import encode_basestring as spelled
from typing import NamedTuple

from contracts.subjects import partition_of
from services.sync.domain.fields import NONE_FILLED
from services.sync.domain.lines import Line
from services.sync.domain.receivables import decimals, digest, due_date

COLUMNS = (
    "line", "row_key", "state", "p", "client_id", "account", "lettering", "book_amount", "journal", "is_credit",
    "told", "label", "fields", "entry",
)  # fmt: skip


class _Told(NamedTuple):
    """What the lines of one client, account and journal share."""

    partition: str
    members: str
    """The first members of their JSON, up to the piece."""


class Staging:
    """Makes the rows of one company's import."""

    def __init__(self, company: str, term_days: int) -> None:
        self._company = company
        self._term_days = term_days
        self._partitions: dict[str, int] = {}
        self._told: dict[tuple[str, str, str], _Told] = {}
        self._due: dict[str, str] = {}

    def partition(self, client_id: str) -> int:
        p = self._partitions.get(client_id)
        if p is None:
            p = self._partitions[client_id] = partition_of(self._company, client_id)
        return p

    def rows(self, lines: Sequence[Line]) -> bytes:
        """The text of all rows, UTF-8."""
        text = "".join([self._row(line) for line in lines])
        if "\\" in text or text.count("\t") != len(lines) * (len(COLUMNS) - 1):
            text = "".join([self._row(line, has_signs=True) for line in lines])
        return text.encode()

    def _row(self, line: Line, *, has_signs: bool = False) -> str:
        """Written flat: a large file is half a million rounds.

        ``has_signs``: a text may hold what COPY takes for a sign of its own.
        """
        (
            number, client_id, account, journal, entry_number, entry_date, piece, piece_date, due, label, debit,
            credit, currency, book, lettering, lettered_on, own_key, kind, payment_mode, fields,
        ) = line  # fmt: skip
        dated = piece_date or entry_date
        if credit:
            side = "t"
            credit_text = decimals(credit)
            debit_text, book_text = "0.00", f"-{credit_text}" if book == -credit else decimals(book)
            due = due or dated
        else:
            side = "f"
            debit_text = decimals(debit)
            credit_text, book_text = "0.00", debit_text if book == debit else decimals(book)
            due = due or self._due.get(dated) or self._due_date(dated)
        told = self._told.get((client_id, account, journal)) or self._tell(client_id, account, journal)
        key = own_key or (
            f"{journal}\x1f{entry_number}\x1f{entry_date}\x1f{account}\x1f{client_id}\x1f{piece}"
            f"\x1f{piece_date}\x1f{label}\x1f{debit}\x1f{credit}\x1f{currency}\x1f{book}"
        )
        entry = (
            f"{told.members}{spelled(piece)},"
            f'"entry_date":"{entry_date}","invoice_date":"{dated}","due_date":"{due}",'
            f'"debit":"{debit_text}","credit":"{credit_text}","currency":"{currency}","book_amount":"{book_text}",'
            f'"lettering":{spelled(lettering) if lettering else "null"},'
            f'"lettered_on":{_quoted(lettered_on)}'
        )
        if payment_mode:
            entry += f',"payment_mode":{spelled(payment_mode)}'
        # the text of a line with a key of its own may change, and ledger is to be told
        state = f"{entry}\x1f{label}" if own_key else entry
        if fields and fields != NONE_FILLED:  # the same of its free fields, whatever line it is
            state = f"{state}\x1f{fields}"
        if has_signs:
            client_id, account, lettering, journal, kind = map(
                escaped, (client_id, account, lettering, journal, kind)
            )
            label, fields, entry = escaped(label), escaped(fields), escaped(entry)
        return (
            f"{number}\t{digest(key)}\t{digest(state)}\t{told.partition}\t{client_id}\t{account}\t{lettering}"
            f"\t{book_text}\t{journal}\t{side}\t{kind}\t{label}\t{fields}\t{entry}\n"
        )

    def _tell(self, client_id: str, account: str, journal: str) -> _Told:
        members = (
            f'"client_id":{spelled(client_id)},"account":{spelled(account)},"journal":{spelled(journal)},"piece":'
        )
        told = self._told[client_id, account, journal] = _Told(str(self.partition(client_id)), members)
        return told

    def _due_date(self, dated: str) -> str:
        due = self._due.get(dated)
        if due is None:
            day = due_date(date.fromisoformat(dated), self._term_days, is_credit=False)
            due = self._due[dated] = day.isoformat()
        return due


def _quoted(day: str) -> str:
    return f'"{day}"' if day else "null"


def escaped(text: str) -> str:
    """A text as COPY wants it."""
    if "\\" in text or "\t" in text:
        return text.replace("\\", "\\\\").replace("\t", "\\t")
    return text
