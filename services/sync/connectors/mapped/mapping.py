"""Which column of a file feeds which field, and how its dates, amounts and words are written.

A mapping is data: saved per company under a name, shown and edited as YAML, checked when it is loaded.
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.event import Currency
from services.sync.domain import fields

Holds = Literal["entries", "clients", "contacts"]

ENTRY_FIELDS = (
    "key", "client_id", "client_name", "account", "journal", "number", "piece", "entry_date", "invoice_date",
    "due_date", "label", "debit", "credit", "amount", "side", "book_amount", "currency", "kind", "payment_mode",
    "lettering", "lettered_on", "settled_on", "status", "removed", *fields.ENTRY_FIELDS,
)  # fmt: skip
CLIENT_FIELDS = (
    "client_id", "client_name", "account", "profile", "category", "payment_mode", "currency", "language",
    "contact_name", "email", "phone", "mobile", "address", "address_2", "postcode", "city", "country",
    "salesperson", "salesperson_code", *fields.CLIENT_FIELDS,
)  # fmt: skip
CONTACT_FIELDS = (
    "client_id", "contact_name", "department", "email", "phone", "mobile", "language", "is_default",
)  # fmt: skip
FIELDS: dict[Holds, tuple[str, ...]] = {
    "entries": ENTRY_FIELDS,
    "clients": CLIENT_FIELDS,
    "contacts": CONTACT_FIELDS,
}
DATE_FIELDS = frozenset({"entry_date", "invoice_date", "due_date", "lettered_on", "settled_on"})
AMOUNT_FIELDS = frozenset({"debit", "credit", "amount", "book_amount"})
DATING = ("invoice_date", "entry_date", "due_date")

DateForm = Literal[
    "YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "YYYYMMDD", "DD/MM/YY",
    "MM/DD/YY",
]  # fmt: skip
Side = Literal["debit", "credit"]
Kind = Literal["invoice", "credit_note", "payment"]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Rate = Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=10)]


class Mapping(BaseModel):
    """How one kind of file is read.

    ``columns`` names the file's column of each field, ``constants`` the value of fields that no column holds.
    Amounts are debit and credit, or one signed amount whose positive values are on the side ``positive``, or one
    amount and its ``side`` in words. ``settled_on`` (a clear date) or a ``status`` tells paid entries from open
    ones. ``only`` keeps the rows that hold one of the words in a column. ``rates`` gives the bookkeeping amount of
    currencies for which the file has none (rule 22.17). ``missing`` says what becomes of entries that the file no
    longer shows: a file that holds everything archives them, one that brings additions keeps them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    holds: Holds = "entries"
    columns: dict[str, Text]
    constants: dict[str, Text] = Field(default_factory=dict)
    separator: Literal[";", ",", "TAB", "|"] | None = None
    sheet: Text | None = None
    header_row: int = Field(1, ge=1, le=50)
    dates: DateForm = "YYYY-MM-DD"
    decimal: Literal[",", "."] = "."
    thousands: Literal["", " ", ".", ",", "'"] = ""
    positive: Side = "debit"
    sides: dict[Text, Side] = Field(default={"D": "debit", "C": "credit"}, max_length=50)
    kinds: dict[Text, Kind] = Field(default_factory=dict, max_length=200)
    credits: Literal["payment", "credit_note"] = "payment"
    open_words: list[Text] = Field(default_factory=list, max_length=50)
    closed_words: list[Text] = Field(default_factory=list, max_length=50)
    only: dict[Text, list[Text]] = Field(default_factory=dict, max_length=20)
    rates: dict[Currency, Rate] = Field(default_factory=dict, max_length=200)
    whole_numbers: list[str] = Field(default_factory=list, max_length=30)
    """Fields that a spreadsheet made decimal: ``1930571429.0`` is read as ``1930571429``."""
    missing: Literal["archive", "keep"] = "archive"
    """``removed`` withdraws the entry of its key whatever this says, where its column holds a word but no or 0."""

    def told(self, field: str) -> bool:
        """The file, or a constant, says something of this field."""
        return field in self.columns or field in self.constants

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        known = FIELDS[self.holds]
        for field in (*self.columns, *self.constants, *self.whole_numbers):
            if field not in known:
                raise ValueError(f"{field} is no field of {self.holds}; the fields are {', '.join(known)}")
        if twice := sorted(self.columns.keys() & self.constants.keys()):
            raise ValueError(f"{twice[0]} has a column and a constant: keep one of them")
        if "client_id" not in self.columns:
            raise ValueError("client_id needs a column: the client's code")
        if self.thousands == self.decimal:
            raise ValueError("decimal and thousands cannot be the same character")
        if self.holds == "entries":
            self._check_entries()
        elif self.holds == "contacts" and not (self.columns.keys() & {"email", "phone", "mobile"}):
            raise ValueError("contacts need a column for email, phone or mobile")
        return self

    def _check_entries(self) -> None:
        sided = "debit" in self.columns and "credit" in self.columns
        if sided == ("amount" in self.columns):
            raise ValueError("amounts need either columns for debit and credit, or one for amount")
        if not sided and self.columns.keys() & {"debit", "credit"}:
            raise ValueError("debit and credit go together: map both, or amount alone")
        if "side" in self.columns and sided:
            raise ValueError("side belongs to amount; debit and credit need none")
        if not any(field in self.columns for field in DATING):
            raise ValueError(f"a date is needed: map {', '.join(DATING[:-1])} or {DATING[-1]}")
        if self.told("settled_on") and self.told("lettering"):
            raise ValueError("settled_on makes the lettering itself: map lettering or settled_on, not both")
        if "removed" in self.columns and "key" not in self.columns:
            raise ValueError("removed needs a key: which entry is withdrawn?")
        if "status" in self.columns and not (self.open_words or self.closed_words):
            raise ValueError("status needs open_words or closed_words")
        if both := {*map(folded, self.open_words)} & {*map(folded, self.closed_words)}:
            raise ValueError(f"“{min(both)}” cannot mean open and closed")
        for field in self.constants:
            if field in DATE_FIELDS or field in AMOUNT_FIELDS:
                raise ValueError(f"{field} cannot be a constant")


def folded(word: str) -> str:
    """A word of a file as it is compared: without outer blanks and case."""
    return word.strip().casefold()
