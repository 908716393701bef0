"""One FEC, read as a stream: every line is checked, the lines of customer accounts come out."""

from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from services.sync.connectors import Read, Rules
from services.sync.connectors.fec.book import BookChecks
from services.sync.connectors.fec.columns import LEGAL, Columns, folded, known, parse_header
from services.sync.connectors.fec.dialect import (
    SEPARATOR_NAMES,
    SEPARATORS,
    SIDES,
    Amounts,
    Dates,
    Dialect,
    likely_formats,
    separator_of,
)
from services.sync.connectors.fec.line_defects import Customers, Form, LineDefects
from services.sync.connectors.fec.source_lines import REPLACEMENT, Group, SourceLines
from services.sync.domain.fields import members
from services.sync.domain.lines import JournalSide, Line
from services.sync.domain.problems import Findings, Verdict, shown

SAMPLE_LINES = 2_000
BATCH_LINES = 4_000
LONGEST_CLIENT = 64
NEEDED_TO_GO_ON = ("JournalCode", "EcritureDate", "CompteNum", "Debit", "Credit")
ABSENT = ("", "0")
"""Stand behind every line: the first for every optional column that the file lacks, the second for the number of
an entry, as software writes it that numbers none."""
OF_CUSTOMER = (
    "JournalCode", "EcritureNum", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate",
    "EcritureLib", "EcritureLet", "DateLet", "Idevise", "EcheanceDate",
)  # fmt: skip
CURRENCY_NAMES = {"": "", "€": "EUR", "EURO": "EUR", "EUROS": "EUR"}
CURRENCY_LETTERS = 3

_new_line = cast("Callable[[type[Line], tuple[Any, ...]], Line]", tuple.__new__)
"""Three times faster than calling ``Line``; the fields are all strings and integers checked before."""


class FecReading:
    """See ``services.sync.connectors.Reading``."""

    def __init__(self, path: Path, rules: Rules) -> None:
        self._rules = rules
        self._findings = Findings(rules.accepted)
        self._source = SourceLines(path, self._findings)
        self._book = BookChecks(self._findings)
        self._customers = Customers(rules.accounts)
        self._dialect = Dialect("\t", crlf=False, quoted=False)
        self._columns = Columns(("JournalCode",))
        self._width = 0
        self._place: dict[str, int] = {}
        self._dates = Dates(self._dialect.dates)
        self._amounts = Amounts(self._dialect.decimal)
        self._of_customer = itemgetter(*range(len(OF_CUSTOMER)))
        self._defects = self._judge()
        self._tags: list[tuple[str, int]] = []
        self.read = Read()

    def _judge(self) -> LineDefects:
        form = Form(
            self._dialect,
            self._columns,
            self._place,
            self._customers,
            self._source.encoding,
            self._dates,
            self._amounts,
        )
        return LineDefects(form, self._findings, self._book)

    @property
    def dialect(self) -> Dialect:
        """How the file is written; known once the first batch was asked for."""
        return self._dialect

    def verdict(self) -> Verdict:
        """Errors and warnings; complete after the last batch."""
        return self._findings.judge(self.read.lines)

    def batches(self) -> Iterator[list[Line]]:
        """Customer lines in the order of the file. After a fatal problem the rest is checked, not answered."""
        header = self._source.begin()
        if header is None or not self._begin(header):
            return
        batch: list[Line] = []
        for group in self._groups():
            self.read.lines += len(group.lines)
            batch += self._customer_lines(group)
            while len(batch) >= BATCH_LINES:
                if not self._findings.is_fatal:
                    yield batch[:BATCH_LINES]
                del batch[:BATCH_LINES]
        self.read.lines -= self._defects.blank_lines
        cut = self._defects.last_cut
        if cut is not None and not self._source.ends_with_newline:
            self._findings.fatal(cut, self._columns.named(self._width), "file_cut")
        if not self.read.lines and not self._findings.is_fatal:
            self._findings.fatal(1, "JournalCode", "no_lines")
        self._book.conclude()
        if batch and not self._findings.is_fatal:
            yield batch

    def _begin(self, header: str) -> bool:
        """Understand the header. False when lines cannot be told apart by it."""
        separator = separator_of(header)
        if separator not in SEPARATORS:
            found = SEPARATOR_NAMES.get(separator or "", "none")
            self._findings.fatal(1, "JournalCode", "separator_wrong", found=found)
            return False
        self._dialect = Dialect(separator, crlf=self._source.crlf, quoted=header.lstrip().startswith('"'))
        fields = self._dialect.split(header)
        if not any(known(field) for field in fields):
            self._findings.fatal(1, "JournalCode", "header_missing", found=shown(fields[0]))
            return False
        self._columns, in_order = parse_header(fields, self._findings)
        if not in_order:
            return False
        self._width = len(self._columns.names)
        self._source.separator = separator
        self._source.column_names = self._columns.names
        absent = self._width
        self._place = {name: self._columns.at.get(name, absent) for name in (*LEGAL, "EcheanceDate")}
        if self._columns.has_sens:
            self._place |= {"Debit": self._columns.at["Montant"], "Credit": self._columns.at.get("Sens", absent)}
        if "EcritureNum" not in self._columns.at:
            self._place["EcritureNum"] = absent + 1
        self._of_customer = itemgetter(*(self._place[name] for name in OF_CUSTOMER))
        self.read.encoding = self._source.written_in
        self._find_fields()
        return all(self._place[name] < absent for name in NEEDED_TO_GO_ON)

    def _find_fields(self) -> None:
        """Where the free fields stand that the company chose. A file without such a column says nothing of it."""
        names = [folded(name) for name in self._columns.names]
        for tag, column in sorted(self._rules.fields.items()):
            if folded(column) in names:
                self._tags.append((tag, names.index(folded(column))))
            else:
                self._findings.remark(1, column, "field_column_missing", column=column)

    def _groups(self) -> Iterator[Group]:
        groups = self._source.groups()
        head = next(groups)
        sample = (self._dialect.split(line) for line in islice(head.lines, 1, SAMPLE_LINES))
        dates, decimal = likely_formats(sample, self._columns)
        self._dialect = Dialect(self._dialect.separator, self._dialect.crlf, self._dialect.quoted, dates, decimal)
        self._dates, self._amounts = Dates(dates), Amounts(decimal)
        self._defects = self._judge()
        yield Group(2, head.lines[1:], head.damaged, head.padded)
        yield from groups

    def _customer_lines(self, group: Group) -> Iterator[Line]:
        """Check a block of lines; the customers' come out. Written flat: a large file is half a million rounds."""
        dates, amounts, book, customers = self._dates, self._amounts, self._book, self._customers
        defects = self._defects
        separator, quoted, width = self._dialect.separator, self._dialect.quoted, self._width
        padded, damaged = group.padded or quoted, group.damaged
        at = self._place
        at_journal, at_number, at_day = at["JournalCode"], at["EcritureNum"], at["EcritureDate"]
        at_account, at_client, at_name = at["CompteNum"], at["CompAuxNum"], at["CompAuxLib"]
        at_debit, at_credit, at_piece_day = at["Debit"], at["Credit"], at["PieceDate"]
        at_lettered, at_valid = at["DateLet"], at["ValidDate"]
        has_sens, has_names = self._columns.has_sens, at_name != width
        entry: tuple[str, str, str] = ("", "", "")
        total = began = 0
        number = group.first - 1
        for text in group.lines:
            number += 1
            fields = self._dialect.split(text) if quoted else text.split(separator)
            if len(fields) != width and not defects.fits(number, text, fields):
                continue
            if padded:
                fields = [field.strip() for field in fields]
            fields += ABSENT
            account, client, day = fields[at_account], fields[at_client], dates[fields[at_day]]
            piece_day, lettered, valid = (
                dates[fields[at_piece_day]],
                dates[fields[at_lettered]],
                dates[fields[at_valid]],
            )
            if has_sens:
                debit, credit = self._sides(fields[at_debit], fields[at_credit])
            else:
                debit, credit = amounts[fields[at_debit]], amounts[fields[at_credit]]
            key = (fields[at_journal], fields[at_number], day or "")
            if (
                not (account and day and key[0] and key[1])
                or debit is None
                or credit is None
                or piece_day is None
                or lettered is None
                or valid is None
                or (debit and credit)
                or (damaged and REPLACEMENT in text)
            ):
                if not defects.bear(number, fields):
                    continue
                debit, credit, day = cast("int", debit), cast("int", credit), cast("str", day)
            if key != entry:
                book.entry(began, entry, total)
                entry, total, began = key, 0, number
            total += debit - credit
            if valid and valid < day:
                self._findings.form(number, "ValidDate", "validated_before_entry", date=valid, entry=day)
            if client and has_names and not fields[at_name]:
                self._findings.form(number, "CompAuxLib", "sub_account_unnamed", client=client)
            if customers[account]:
                yield self._line(number, fields, day, debit, credit)
            elif client and account[0] != "4":
                self._findings.form(number, "CompAuxNum", "sub_account_misplaced", account=account, client=client)
        book.entry(began, entry, total)

    def _sides(self, amount: str, side: str) -> tuple[int | None, int | None]:
        """Debit and credit out of Montant and Sens."""
        units = self._amounts[amount]
        sign = SIDES.get(side.strip().upper())
        if units is None or sign is None:
            return (units, 0 if sign else None)
        return (units, 0) if sign > 0 else (0, units)

    def _line(self, number: int, fields: list[str], day: str, debit: int, credit: int) -> Line:
        (
            journal, entry_number, account, account_name, client, client_name, piece, piece_day, label, lettering,
            lettered_on, currency, due,
        ) = self._of_customer(fields)  # fmt: skip
        client_id = client or account
        name = (client and client_name) or account_name
        names = self.read.names.get(client_id)
        if names is None:
            names = self._new_client(number, client_id)
        if name in names:
            names[name] += 1
        else:
            names[name] = 1
        if account != self.read.accounts[client_id]:
            self.read.accounts[client_id] = min(self.read.accounts[client_id], account)
        if debit < 0 or credit < 0:
            debit, credit = max(debit, 0) - min(credit, 0), max(credit, 0) - min(debit, 0)
        side = self.read.journals.get(journal)
        if side is None:
            side = self.read.journals[journal] = JournalSide(fields[self._place["JournalLib"]])
        if credit:
            side.credits += 1
        else:
            side.debits += 1
        if day != self.read.last_day:
            self.read.last_day = max(self.read.last_day, day)
        book = debit - credit
        if currency:
            currency, debit, credit = self._in_currency(number, fields, debit, credit)
        return _new_line(
            Line,
            (
                number, client_id, account, journal, entry_number, day, piece, self._dates[piece_day],
                self._due_date(number, due) if due else "", label, debit, credit,
                currency or self._rules.currency, book, lettering, self._dates[lettered_on], "", "", "",
                members([(tag, fields[place].strip()) for tag, place in self._tags]) if self._tags else "",
            ),
        )  # fmt: skip

    def _new_client(self, number: int, client_id: str) -> dict[str, int]:
        if len(client_id) > LONGEST_CLIENT:
            client, most = shown(client_id), str(LONGEST_CLIENT)
            self._findings.fatal(number, "CompAuxNum", "client_too_long", client=client, most=most)
        self.read.accounts[client_id] = "\uffff"
        names = self.read.names[client_id] = {}
        return names

    def _due_date(self, number: int, text: str) -> str:
        due = self._dates[text]
        if due is None:
            value, form = shown(text), self._dialect.dates
            self._findings.fatal(
                number, "EcheanceDate", "date_invalid", column="EcheanceDate", value=value, form=form
            )
        return due or ""

    def _in_currency(self, number: int, fields: list[str], debit: int, credit: int) -> tuple[str, int, int]:
        """Amounts in the line's own currency, where it names another and gives its amount (rule 22.17)."""
        text = fields[self._place["Idevise"]].upper()
        currency = CURRENCY_NAMES.get(text, text)
        if currency == self._rules.currency:
            return currency, debit, credit
        if len(currency) != CURRENCY_LETTERS or not (currency.isascii() and currency.isalpha()):
            self._findings.tolerable(number, "Idevise", "currency_unknown", value=shown(text))
            return self._rules.currency, debit, credit
        foreign = self._amounts[fields[self._place["Montantdevise"]]]
        if foreign is None:
            value = shown(fields[self._place["Montantdevise"]])
            mark = self._dialect.decimal
            self._findings.fatal(
                number, "Montantdevise", "amount_invalid", column="Montantdevise", value=value, mark=mark
            )
        if not foreign:
            return self._rules.currency, debit, credit
        return (currency, abs(foreign), 0) if debit else (currency, 0, abs(foreign))
