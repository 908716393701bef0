"""One FEC, read as a stream: every line is checked, the lines of customer accounts come out."""

from collections.abc import Callable, Iterator
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from services.sync.connectors import Read, Rules
from services.sync.connectors.fec.book import BookChecks
from services.sync.connectors.fec.columns import LEGAL, Columns, known, parse_header
from services.sync.connectors.fec.dialect import (
    SEPARATOR_NAMES,
    SEPARATORS,
    Amounts,
    Dates,
    Dialect,
    likely_formats,
    separator_of,
)
from services.sync.connectors.fec.source_lines import REPLACEMENT, Group, SourceLines
from services.sync.domain.lines import JournalSide, Line
from services.sync.domain.problems import Findings, Verdict

SAMPLE_LINES = 5_000
BATCH_LINES = 4_000
LONGEST_CLIENT = 64
NEEDED_TO_GO_ON = ("JournalCode", "EcritureNum", "EcritureDate", "CompteNum", "Debit", "Credit")
OF_CUSTOMER = (
    "JournalCode", "EcritureNum", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate",
    "EcritureLib", "EcritureLet", "DateLet", "Idevise", "EcheanceDate",
)  # fmt: skip
SIDES = {"D": 1, "+": 1, "+1": 1, "1": 1, "C": -1, "-": -1, "-1": -1}
CURRENCY_NAMES = {"": "", "€": "EUR", "EURO": "EUR", "EUROS": "EUR"}
CURRENCY_LETTERS = 3

_new_line = cast("Callable[[type[Line], tuple[Any, ...]], Line]", tuple.__new__)
"""Three times faster than calling ``Line``; the fields are all strings and integers checked before."""


class _Customers(dict[str, bool]):
    """Whether an account is a customer's, remembered per account."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        super().__init__()
        self._prefixes = prefixes

    def __missing__(self, account: str) -> bool:
        self[account] = value = account.startswith(self._prefixes)
        return value


class FecReading:
    """See ``services.sync.connectors.Reading``."""

    def __init__(self, path: Path, rules: Rules) -> None:
        self._rules = rules
        self._findings = Findings(rules.accepted)
        self._source = SourceLines(path, self._findings)
        self._book = BookChecks(self._findings)
        self._customers = _Customers(rules.accounts)
        self._dialect = Dialect("\t", crlf=False, quoted=False)
        self._columns = Columns(("JournalCode",))
        self._width = 0
        self._place: dict[str, int] = {}
        self._dates = Dates(self._dialect.dates)
        self._amounts = Amounts(self._dialect.decimal)
        self._of_customer = itemgetter(*range(len(OF_CUSTOMER)))
        self._header_judged = False
        self._last_cut: int | None = None
        self.read = Read()

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
        if self._last_cut is not None and not self._source.ends_with_newline:
            self._findings.fatal(self._last_cut, self._columns.named(self._width), "file_cut")
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
            self._findings.fatal(1, "JournalCode", "header_missing", found=fields[0].strip()[:40])
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
        self._of_customer = itemgetter(*(self._place[name] for name in OF_CUSTOMER))
        self.read.encoding = self._source.encoding
        return all(self._place[name] < absent for name in NEEDED_TO_GO_ON)

    def _groups(self) -> Iterator[Group]:
        groups = self._source.groups()
        head = next(groups)
        sample = (self._dialect.split(line) for line in islice(head.lines, 1, SAMPLE_LINES))
        dates, decimal = likely_formats(sample, self._columns)
        self._dialect = Dialect(self._dialect.separator, self._dialect.crlf, self._dialect.quoted, dates, decimal)
        self._dates, self._amounts = Dates(dates), Amounts(decimal)
        yield Group(2, head.lines[1:], head.damaged, head.padded)
        yield from groups

    def _customer_lines(self, group: Group) -> Iterator[Line]:
        """Check a block of lines; the customers' come out. Written flat: a large file is half a million rounds."""
        dates, amounts, book, customers = self._dates, self._amounts, self._book, self._customers
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
            if len(fields) != width and not self._fits(number, text, fields):
                continue
            if padded:
                fields = [field.strip() for field in fields]
            fields.append("")  # stands for every optional column that the file lacks
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
                if not self._bear(number, fields):
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

    def _fits(self, number: int, text: str, fields: list[str]) -> bool:
        """Mend or judge a line whose number of fields is not the header's. False when it is set aside."""
        if not text.strip():
            self.read.lines -= 1
            return False
        extra = len(fields) - self._width
        if extra > 0:
            missing = self._columns.missing()
            if missing and len(fields) == len(LEGAL):
                self._say_header_is_short(number, len(fields), missing[0])
                return False
            if not any(field.strip() for field in fields[self._width :]):
                del fields[self._width :]
                return True
        other = next(sep for sep in SEPARATORS if sep != self._dialect.separator)
        if extra < 0 and text.count(other) >= self._width // 2:
            self._findings.fatal(
                number,
                self._columns.names[0],
                "separator_mixed",
                found=SEPARATOR_NAMES[other],
                expected=SEPARATOR_NAMES[self._dialect.separator],
            )
            parts = [*text.split(other), "", "", ""]
            self._book.set_aside(
                parts[self._place["JournalCode"]].strip(), parts[self._place["EcritureNum"]].strip()
            )
            return False
        if extra < 0:
            self._last_cut = number
        place = self._columns.named(len(fields)) if extra < 0 else self._first_shifted(fields)
        self._set_aside(
            number,
            fields,
            place,
            "fields_missing" if extra < 0 else "fields_too_many",
            found=str(len(fields)),
            expected=str(self._width),
        )
        return False

    def _first_shifted(self, fields: list[str]) -> str:
        """The first column whose content does not fit it; the last one when all seem to fit."""
        at = self._place
        misfits = [
            at[name] for name in ("EcritureDate", "PieceDate", "DateLet") if self._dates[fields[at[name]]] is None
        ]
        misfits += [at[name] for name in ("Debit", "Credit") if self._amounts[fields[at[name]]] is None]
        return self._columns.named(min(misfits, default=self._width))

    def _say_header_is_short(self, number: int, held: int, missing: str) -> None:
        if not self._header_judged:
            self._header_judged = True
            self._findings.fatal(
                1,
                missing,
                "header_short",
                line=str(number),
                named=str(self._width),
                held=str(held),
                column=missing,
            )

    def _set_aside(self, number: int, fields: list[str], column: str, code: str, **details: str) -> None:
        """A line that cannot be used: harmless when it surely belongs to another account, else fatal."""
        if self._is_surely_another(fields):
            self._findings.tolerable(number, column, code, **details)
            self._book.set_aside(
                fields[self._place["JournalCode"]].strip(), fields[self._place["EcritureNum"]].strip()
            )
        else:
            self._findings.fatal(number, column, code, **details)

    def _is_surely_another(self, fields: list[str]) -> bool:
        """The columns up to the account are where they belong, and the account is no customer's."""
        at = self._place["CompteNum"]
        if at >= len(fields) or self._place["EcritureDate"] >= at:
            return False
        account = fields[at].strip()
        return (
            account[:1].isdigit()
            and not self._customers[account]
            and bool(self._dates[fields[self._place["EcritureDate"]]])
        )

    def _bear(self, number: int, fields: list[str]) -> bool:
        """Name every defect of a line. True when the line can be used all the same."""
        at = self._place
        usable = True
        is_other = self._is_surely_another(fields)
        say = self._findings.tolerable if is_other else self._findings.fatal
        for name in ("JournalCode", "EcritureNum", "CompteNum"):
            if not fields[at[name]].strip():
                usable = False
                say(number, name, "field_empty", column=name)
        for name in ("EcritureDate", "PieceDate", "DateLet", "ValidDate"):
            text = fields[at[name]]
            if self._dates[text] is None:
                usable = usable and name != "EcritureDate"
                say(number, name, "date_invalid", column=name, value=text.strip()[:40], form=self._dialect.dates)
            elif name == "EcritureDate" and not self._dates[text]:
                usable = False
                say(number, name, "field_empty", column=name)
        usable = self._bear_amounts(number, fields, is_other) and usable
        for place, text in enumerate(fields):
            if REPLACEMENT in text:
                say(number, self._columns.named(place), "character_undecodable", encoding=self._source.encoding)
                break
        if not usable:
            self._book.set_aside(fields[at["JournalCode"]].strip(), fields[at["EcritureNum"]].strip())
        return usable

    def _bear_amounts(self, number: int, fields: list[str], is_other: bool) -> bool:
        at = self._place
        say = self._findings.tolerable if is_other else self._findings.fatal
        usable = True
        with_sens = self._columns.has_sens
        for name in ("Montant",) if with_sens else ("Debit", "Credit"):
            text = fields[at["Debit" if with_sens else name]]
            if self._amounts[text] is None:
                usable = False
                mark = self._dialect.decimal
                say(number, name, "amount_invalid", column=name, value=text.strip()[:40], mark=mark)
        if with_sens and fields[at["Credit"]].strip().upper() not in SIDES:
            usable = False
            say(number, "Sens", "side_invalid", value=fields[at["Credit"]].strip()[:10])
        if usable and not with_sens and self._amounts[fields[at["Debit"]]] and self._amounts[fields[at["Credit"]]]:
            usable = False
            debit, credit = fields[at["Debit"]].strip(), fields[at["Credit"]].strip()
            say(number, "Credit", "debit_and_credit", debit=debit, credit=credit)
        return usable

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
                currency or self._rules.currency, book, lettering, self._dates[lettered_on],
            ),
        )  # fmt: skip

    def _new_client(self, number: int, client_id: str) -> dict[str, int]:
        if len(client_id) > LONGEST_CLIENT:
            client, most = client_id[:LONGEST_CLIENT], str(LONGEST_CLIENT)
            self._findings.fatal(number, "CompAuxNum", "client_too_long", client=client, most=most)
        self.read.accounts[client_id] = "\uffff"
        names = self.read.names[client_id] = {}
        return names

    def _due_date(self, number: int, text: str) -> str:
        due = self._dates[text]
        if due is None:
            value, form = text.strip()[:40], self._dialect.dates
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
            self._findings.tolerable(number, "Idevise", "currency_unknown", value=text[:10])
            return self._rules.currency, debit, credit
        foreign = self._amounts[fields[self._place["Montantdevise"]]]
        if foreign is None:
            value = fields[self._place["Montantdevise"]].strip()[:40]
            mark = self._dialect.decimal
            self._findings.fatal(
                number, "Montantdevise", "amount_invalid", column="Montantdevise", value=value, mark=mark
            )
        if not foreign:
            return self._rules.currency, debit, credit
        return (currency, abs(foreign), 0) if debit else (currency, 0, abs(foreign))
