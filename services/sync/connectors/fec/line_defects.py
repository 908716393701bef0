"""What is wrong with a single line, and whether the line can be borne all the same."""

from dataclasses import dataclass

from services.sync.connectors.fec.book import BookChecks
from services.sync.connectors.fec.columns import LEGAL, Columns
from services.sync.connectors.fec.dialect import SEPARATOR_NAMES, SEPARATORS, SIDES, Amounts, Dates, Dialect
from services.sync.connectors.fec.source_lines import REPLACEMENT
from services.sync.domain.problems import Findings, shown


class Customers(dict[str, bool]):
    """Whether an account is a customer's, remembered per account."""

    def __init__(self, prefixes: tuple[str, ...]) -> None:
        super().__init__()
        self._prefixes = prefixes

    def __missing__(self, account: str) -> bool:
        self[account] = value = account.startswith(self._prefixes)
        return value


@dataclass(frozen=True)
class Form:
    """How the file is written and which accounts count. ``place`` says where each legal column stands; those the
    file lacks stand at ``width``, where every line gets an empty field."""

    dialect: Dialect
    columns: Columns
    place: dict[str, int]
    customers: Customers
    encoding: str
    dates: Dates
    amounts: Amounts

    @property
    def width(self) -> int:
        return len(self.columns.names)


class LineDefects:
    """Judges lines that the fast reading stumbled over."""

    def __init__(self, form: Form, findings: Findings, book: BookChecks) -> None:
        self._file = form
        self._findings = findings
        self._book = book
        self._header_judged = False
        self.blank_lines = 0
        self.last_cut: int | None = None
        """The last line that ended too early."""

    def fits(self, number: int, text: str, fields: list[str]) -> bool:
        """Mend or judge a line whose number of fields is not the header's. False when it is set aside."""
        if not text.strip():
            self.blank_lines += 1
            return False
        extra = len(fields) - self._file.width
        if extra > 0:
            missing = self._file.columns.missing()
            if missing and len(fields) == len(LEGAL):
                self._say_header_is_short(number, len(fields), missing[0])
                return False
            if not any(field.strip() for field in fields[self._file.width :]) and not self._misfits(fields):
                del fields[self._file.width :]
                return True
        other = next(sep for sep in SEPARATORS if sep != self._file.dialect.separator)
        if extra < 0 and text.count(other) >= self._file.width // 2:
            self._findings.fatal(
                number,
                self._file.columns.names[0],
                "separator_mixed",
                found=SEPARATOR_NAMES[other],
                expected=SEPARATOR_NAMES[self._file.dialect.separator],
            )
            self._book.set_aside(*self._entry_of([*text.split(other), "", "", ""]))
            return False
        if extra < 0:
            self.last_cut = number
        place = self._file.columns.named(
            len(fields) if extra < 0 else min(self._misfits(fields), default=self._file.width)
        )
        self._set_aside(
            number,
            fields,
            place,
            "fields_missing" if extra < 0 else "fields_too_many",
            found=str(len(fields)),
            expected=str(self._file.width),
        )
        return False

    def _misfits(self, fields: list[str]) -> list[int]:
        """Places of dates and amounts whose content is none."""
        at = self._file.place
        misfits = [
            at[name] for name in ("EcritureDate", "PieceDate") if self._file.dates[fields[at[name]]] is None
        ]
        amounts = ("Debit",) if self._file.columns.has_sens else ("Debit", "Credit")
        return misfits + [at[name] for name in amounts if self._file.amounts[fields[at[name]]] is None]

    def _say_header_is_short(self, number: int, held: int, missing: str) -> None:
        if not self._header_judged:
            self._header_judged = True
            self._findings.fatal(
                1,
                missing,
                "header_short",
                line=str(number),
                named=str(self._file.width),
                held=str(held),
                column=missing,
            )

    def _set_aside(self, number: int, fields: list[str], column: str, code: str, **details: str) -> None:
        """A line that cannot be used: harmless when it surely belongs to another account, else fatal."""
        if self._is_surely_another(fields):
            self._findings.tolerable(number, column, code, **details)
            self._book.set_aside(*self._entry_of(fields))
        else:
            self._findings.fatal(number, column, code, **details)

    def _entry_of(self, fields: list[str]) -> tuple[str, str]:
        """(journal, number) as far as the line holds them."""
        at = self._file.place
        journal, number = (
            fields[at[name]].strip() if at[name] < len(fields) else "" for name in ("JournalCode", "EcritureNum")
        )
        return journal, number

    def _is_surely_another(self, fields: list[str]) -> bool:
        """The columns up to the account are where they belong, and the account is no customer's."""
        at = self._file.place["CompteNum"]
        if at >= len(fields) or self._file.place["EcritureDate"] >= at:
            return False
        account = fields[at].strip()
        return (
            account[:1].isdigit()
            and not self._file.customers[account]
            and bool(self._file.dates[fields[self._file.place["EcritureDate"]]])
        )

    def bear(self, number: int, fields: list[str]) -> bool:
        """Name every defect of a line. True when the line can be used all the same."""
        at = self._file.place
        usable = True
        is_other = self._is_surely_another(fields)
        say = self._findings.tolerable if is_other else self._findings.fatal
        for name in ("JournalCode", "EcritureNum", "CompteNum"):
            if not fields[at[name]].strip():
                usable = False
                say(number, name, "field_empty", column=name)
        for name in ("EcritureDate", "PieceDate", "DateLet", "ValidDate"):
            text = fields[at[name]]
            if self._file.dates[text] is None:
                usable = usable and name != "EcritureDate"
                say(
                    number,
                    name,
                    "date_invalid",
                    column=name,
                    value=shown(text),
                    form=self._file.dialect.dates,
                )
            elif name == "EcritureDate" and not self._file.dates[text]:
                usable = False
                say(number, name, "field_empty", column=name)
        usable = self._bear_amounts(number, fields, is_other) and usable
        for place, text in enumerate(fields):
            if REPLACEMENT in text:
                say(number, self._file.columns.named(place), "character_undecodable", encoding=self._file.encoding)
                break
        if not usable:
            self._book.set_aside(*self._entry_of(fields))
        return usable

    def _bear_amounts(self, number: int, fields: list[str], is_other: bool) -> bool:
        at = self._file.place
        say = self._findings.tolerable if is_other else self._findings.fatal
        usable = True
        with_sens = self._file.columns.has_sens
        for name in ("Montant",) if with_sens else ("Debit", "Credit"):
            text = fields[at["Debit" if with_sens else name]]
            if self._file.amounts[text] is None:
                usable = False
                mark = self._file.dialect.decimal
                say(number, name, "amount_invalid", column=name, value=shown(text), mark=mark)
        if with_sens and fields[at["Credit"]].strip().upper() not in SIDES:
            usable = False
            say(number, "Sens", "side_invalid", value=shown(fields[at["Credit"]]))
        if (
            usable
            and not with_sens
            and self._file.amounts[fields[at["Debit"]]]
            and self._file.amounts[fields[at["Credit"]]]
        ):
            usable = False
            debit, credit = fields[at["Debit"]].strip(), fields[at["Credit"]].strip()
            say(number, "Credit", "debit_and_credit", debit=debit, credit=credit)
        return usable
