"""Rows of a mapped file to lines of customer accounts."""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from services.sync.connectors import Read, Rules
from services.sync.connectors.mapped.mapping import Mapping, folded
from services.sync.connectors.mapped.values import AmountTexts, DateTexts
from services.sync.domain.fields import ENTRY_FIELDS, members
from services.sync.domain.lines import UNITS, Line
from services.sync.domain.problems import Findings, shown
from services.sync.domain.receivables import digest

LONGEST_CLIENT = 64
LONGEST_TEXT = 2_000
CURRENCY_NAMES = {"€": "EUR", "EURO": "EUR", "EUROS": "EUR", "$": "USD", "£": "GBP"}
CURRENCY_LETTERS = 3
SETTLED = "\x1fsettled"
"""Behind the key of an entry: the key of what settled it."""
NO_WORDS = frozenset({"0", "no", "non", "false", "n"})
REFUND = "refund"
"""The kind of what settles a credit note: no word of the contract means it."""


class EntryRows:
    """Takes rows in the order of ``ENTRY_FIELDS``; see ``mapping.Mapping`` for what each may say.

    A row with a settlement on or before the business day comes out twice: as it is, and as the payment that
    settled it, both lettered with one code, since a code whose two sides do not balance is an error (rule 2.8).
    A settlement after the business day has not happened yet.
    """

    def __init__(self, mapping: Mapping, rules: Rules, findings: Findings, read: Read) -> None:
        self._mapping = mapping
        self._findings = findings
        self._read = read
        self._currency = rules.currency
        self._without_rate: set[str] = set()
        self._account = rules.accounts[0]
        self._as_of = rules.as_of.isoformat() if rules.as_of else "9999-12-31"
        self._dates = DateTexts(mapping.dates)
        self._amounts = AmountTexts(mapping.decimal, mapping.thousands)
        self._sides = {folded(word): 1 if side == "debit" else -1 for word, side in mapping.sides.items()}
        self._kinds = {folded(word): kind for word, kind in mapping.kinds.items()}
        self._statuses = dict.fromkeys(map(folded, mapping.open_words), True)
        self._statuses |= dict.fromkeys(map(folded, mapping.closed_words), False)
        self._others_are = None if mapping.open_words and mapping.closed_words else not mapping.open_words
        self._sided = "debit" in mapping.columns
        self._is_keyed = "key" in mapping.columns
        self._keeps = mapping.missing == "keep"
        self._positive = 1 if mapping.positive == "debit" else -1
        whole = mapping.whole_numbers
        self._whole_key, self._whole_client = "key" in whole, "client_id" in whole
        self._whole_piece, self._whole_number = "piece" in whole, "number" in whole
        self._fills = any(map(mapping.told, ENTRY_FIELDS))
        self._read.is_keyed = self._is_keyed

    def take(self, number: int, fields: tuple[str, ...]) -> Iterator[Line]:
        """The lines of one row: none when it is closed or wrong, two when it is settled."""
        (
            key, client_id, client_name, account, journal, entry_number, piece, entry_date, invoice_date, due_date,
            label, debit_text, credit_text, amount_text, side, book_text, currency, kind, payment_mode, lettering,
            lettered_on, settled_on, status, removed, *tags,
        ) = map(str.strip, fields)  # fmt: skip
        if removed and folded(removed) not in NO_WORDS:
            self._withdraw(number, key)
            return
        sound = True
        client_id = whole_number(client_id) if self._whole_client else client_id
        if not client_id:
            sound = self._wrong(number, "client_id", "field_empty")
        elif len(client_id) > LONGEST_CLIENT:
            sound = self._wrong(number, "client_id", "client_too_long", most=str(LONGEST_CLIENT))
        key = whole_number(key) if self._whole_key else key
        if self._is_keyed and not key:
            sound = self._wrong(number, "key", "field_empty")
        days = [
            self._day(number, field, text)
            for field, text in (
                ("entry_date", entry_date), ("invoice_date", invoice_date), ("due_date", due_date),
                ("lettered_on", lettered_on), ("settled_on", settled_on),
            )
        ]  # fmt: skip
        debit, credit = self._both_sides(number, debit_text, credit_text, amount_text, side)
        if None in days or debit is None or credit is None:
            return
        entered, invoiced, due, lettered, settled = (day or "" for day in days)
        dated = invoiced or entered or due
        if not dated:
            sound = self._wrong(number, "invoice_date", "no_date")
        currency = self._currency_of(number, currency)
        kind_said = self._kind(number, kind, credit)
        is_open = self._is_open(number, status)
        book = self._book(number, currency, debit, credit, book_text)
        if not (sound and currency and kind_said and book is not None) or is_open is None:
            return
        if not (debit or credit) or (not is_open and not settled):
            # nothing is owed, or it was settled on a day the file does not know
            self._show_no_more(key, f"{key}{SETTLED}")
            return
        account = account or self._account
        self._see(client_id, client_name, account, entered or dated)
        piece = whole_number(piece) if self._whole_piece else piece
        entry_number = whole_number(entry_number) if self._whole_number else entry_number
        line = Line(
            number, client_id, account, journal, entry_number, entered or dated, piece, invoiced or dated, due,
            label[:LONGEST_TEXT], debit, credit, currency, book, lettering, lettered, key, kind_said, payment_mode,
            members(zip(ENTRY_FIELDS, tags, strict=True)) if self._fills else "",
        )  # fmt: skip
        if settled and settled <= self._as_of:
            code = "S" + digest(f"{client_id}\x1f{key or (piece, dated, label, debit, credit)}")[:11]
            yield _settlement(line, code, settled)
            line = line._replace(lettering=code, lettered_on=settled)
        else:
            self._show_no_more(f"{key}{SETTLED}")
            if settled and self._keeps:
                column = self._mapping.columns["settled_on"]
                self._findings.remark(number, column, "settled_later", column=column, value=settled)
        yield line

    def _withdraw(self, number: int, key: str) -> None:
        """The entry of a key, and what settled it, are not shown any more."""
        key = whole_number(key) if self._whole_key else key
        if not key:
            self._wrong(number, "key", "field_empty")
            return
        self._read.gone += [digest(key), digest(f"{key}{SETTLED}")]

    def _show_no_more(self, *keys: str) -> None:
        """These keys' entries are gone. Where missing lines are kept this must be said: the paid invoice would be
        reminded, or the payment that was taken back would stay alone."""
        if self._is_keyed and self._keeps:
            self._read.gone += map(digest, keys)

    def _see(self, client_id: str, name: str, account: str, day: str) -> None:
        names = self._read.names.get(client_id)
        if names is None:
            names = self._read.names[client_id] = {}
            self._read.accounts[client_id] = account
        names[name] = names.get(name, 0) + 1
        self._read.accounts[client_id] = min(self._read.accounts[client_id], account)
        self._read.last_day = max(self._read.last_day, day)

    def _wrong(self, number: int, field: str, code: str, **details: str) -> bool:
        column = self._mapping.columns.get(field) or self._mapping.constants.get(field, field)
        self._findings.fatal(number, column, code, column=column, **details)
        return False

    def _day(self, number: int, field: str, text: str) -> str | None:
        day = self._dates[text]
        if day is None:
            self._wrong(number, field, "date_invalid", value=shown(text), form=self._mapping.dates)
        return day

    def _amount(self, number: int, field: str, text: str) -> int | None:
        units = self._amounts[text]
        if units is None:
            self._wrong(number, field, "amount_invalid", value=shown(text), mark=self._mapping.decimal)
        return units

    def _both_sides(
        self, number: int, debit_text: str, credit_text: str, amount_text: str, side: str
    ) -> tuple[int | None, int | None]:
        """Debit and credit in units, both positive and one of them zero."""
        if self._sided:
            debit = self._amount(number, "debit", debit_text)
            credit = self._amount(number, "credit", credit_text)
            if debit is None or credit is None:
                return None, None
            if debit and credit:
                self._wrong(
                    number, "credit", "debit_and_credit", debit=shown(debit_text), credit=shown(credit_text)
                )
                return None, None
            signed = debit - credit
        else:
            units = self._amount(number, "amount", amount_text)
            if units is None:
                return None, None
            if self._mapping.told("side"):
                sign = self._sides.get(folded(side))
                if sign is None:
                    self._wrong(number, "side", "side_unknown", value=shown(side))
                    return None, None
            else:
                sign = self._positive
            signed = units * sign
        return (signed, 0) if signed > 0 else (0, -signed)

    def _currency_of(self, number: int, text: str) -> str:
        if not text:
            return self._currency
        currency = CURRENCY_NAMES.get(text.upper(), text.upper())
        if len(currency) != CURRENCY_LETTERS or not (currency.isascii() and currency.isalpha()):
            self._wrong(number, "currency", "currency_unknown", value=shown(text))
            return ""
        return currency

    def _kind(self, number: int, word: str, credit: int) -> str:
        if word and self._mapping.told("kind"):
            kind = self._kinds.get(folded(word))
            if kind is None:
                self._wrong(number, "kind", "kind_unknown", value=shown(word))
            return kind or ""
        return self._mapping.credits if credit else "invoice"

    def _is_open(self, number: int, word: str) -> bool | None:
        """Whether a row is still owed by its status; None when the word means nothing."""
        if not word or not self._mapping.told("status"):
            return True
        known = self._statuses.get(folded(word), self._others_are)
        if known is None:
            self._wrong(number, "status", "status_unknown", value=shown(word))
        return known

    def _book(self, number: int, currency: str, debit: int, credit: int, text: str) -> int | None:
        """Debit minus credit in the bookkeeping currency (rule 22.17)."""
        sign = 1 if debit else -1
        if not currency or currency == self._currency:
            return debit - credit
        units = self._amount(number, "book_amount", text)
        if units:
            return abs(units) * sign
        rate = self._mapping.rates.get(currency)
        if rate is None:
            if currency not in self._without_rate:
                told = {"currency": currency, "bookkeeping": self._currency}
                self._wrong(number, "currency", "book_amount_missing", **told)
            self._without_rate.add(currency)
            return None
        return int(
            (Decimal((debit or credit) * sign) * rate / UNITS * 100).quantize(Decimal(1), ROUND_HALF_UP)
        ) * (UNITS // 100)


def _settlement(line: Line, code: str, day: str) -> Line:
    """What settled a line on a day: the same amount on the other side. Its number is the line's, negative, since
    no two lines of a file have one number."""
    return line._replace(
        number=-line.number,
        entry_date=day,
        piece_date=day,
        due_date=day,
        debit=line.credit,
        credit=line.debit,
        book=-line.book,
        lettering=code,
        lettered_on=day,
        key=f"{line.key}{SETTLED}" if line.key else "",
        kind="payment" if line.debit else REFUND,
        fields="",
    )


def whole_number(text: str) -> str:
    """``1930571429.0`` as ``1930571429``."""
    whole, point, part = text.partition(".")
    return whole if point and not part.strip("0") else text
