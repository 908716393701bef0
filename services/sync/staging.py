"""Customer lines on their way into the database: one text in PostgreSQL's COPY format per batch.

``entry`` is the JSON of ``SyncedEntry`` but for its id, its kind (known when the whole file was read) and its
removal; ``state`` is the digest of it, so that equal states mean nothing to say.
"""

from collections.abc import Iterable
from datetime import date
from json.encoder import encode_basestring

from contracts.subjects import partition_of
from services.sync.domain.lines import Line
from services.sync.domain.receivables import decimals, digest, due_date, identity

COLUMNS = (
    "line", "row_key", "state", "p", "client_id", "account", "lettering", "book_amount", "journal", "is_credit",
    "label", "entry",
)  # fmt: skip
NULL = "\\N"


class Staging:
    """Makes the rows of one company's import."""

    def __init__(self, company: str, term_days: int) -> None:
        self._company = company
        self._term_days = term_days
        self._partitions: dict[str, int] = {}
        self._due: dict[str, str] = {}

    def partition(self, client_id: str) -> int:
        p = self._partitions.get(client_id)
        if p is None:
            p = self._partitions[client_id] = partition_of(self._company, client_id)
        return p

    def rows(self, lines: Iterable[Line]) -> bytes:
        """The text of all rows, UTF-8."""
        return "".join([self._row(line) for line in lines]).encode()

    def _row(self, line: Line) -> str:
        dated = line.piece_date or line.entry_date
        is_credit = line.credit > 0
        due = line.due_date or (dated if is_credit else self._due_date(dated))
        book = decimals(line.book)
        debit = decimals(line.debit)
        credit = decimals(line.credit)
        lettering = encode_basestring(line.lettering) if line.lettering else "null"
        lettered_on = f'"{line.lettered_on}"' if line.lettered_on else "null"
        entry = (
            f'"client_id":{encode_basestring(line.client_id)},"account":{encode_basestring(line.account)},'
            f'"journal":{encode_basestring(line.journal)},"piece":{encode_basestring(line.piece)},'
            f'"entry_date":"{line.entry_date}","invoice_date":"{dated}","due_date":"{due}",'
            f'"debit":"{debit}","credit":"{credit}","currency":"{line.currency}","book_amount":"{book}",'
            f'"lettering":{lettering},"lettered_on":{lettered_on}'
        )
        return (
            f"{line.number}\t{digest(identity(line))}\t{digest(entry)}\t{self.partition(line.client_id)}\t"
            f"{escaped(line.client_id)}\t{escaped(line.account)}\t{escaped(line.lettering) or NULL}\t{book}\t"
            f"{escaped(line.journal)}\t{is_credit}\t{escaped(line.label)}\t{escaped(entry)}\n"
        )

    def _due_date(self, dated: str) -> str:
        due = self._due.get(dated)
        if due is None:
            day = due_date(date.fromisoformat(dated), self._term_days, is_credit=False)
            due = self._due[dated] = day.isoformat()
        return due


def escaped(text: str) -> str:
    """A text as COPY wants it."""
    if "\\" in text or "\t" in text:
        return text.replace("\\", "\\\\").replace("\t", "\\t")
    return text
