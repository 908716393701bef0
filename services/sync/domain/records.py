"""What a connector that reads a live base delivers: one record per thing, keyed by the source's own key.

A delivery is a text of JSON lines. It begins anew with every sync: entries, then clients, then for a complete one
the keys of every entry there is, then the source's own totals, then its end. Later lines about a key win over
earlier ones of an earlier pass; within one pass a key stands once.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.event import Amount, ClientId, Currency

Text = Annotated[str, Field(max_length=2_000)]
Line = Annotated[str, Field(max_length=500)]
"""As long as ledger takes what it keeps of people."""
Key = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(max_length=100)]
ClientField = Annotated[str, Field(pattern=r"^tag([1-9]|10)$")]
EntryField = Annotated[str, Field(pattern=r"^tag[1-3]$")]
Mode = Literal["full", "incremental", "check"]
"""``full`` tells everything; ``incremental`` what changed; ``check`` what changed, every client and every key."""


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EntryRecord(Record):
    """The state of one line of a customer account. Amounts are positive, one of the two is zero; ``book_amount``
    is debit minus credit in the bookkeeping currency. Without ``due_date`` the company's payment term counts."""

    record: Literal["entry"] = "entry"
    key: Key
    client_id: ClientId
    account: Code
    kind: Literal["invoice", "credit_note", "payment"]
    journal: Code
    piece: Code
    entry_date: date
    invoice_date: date | None = None
    due_date: date | None = None
    debit: Amount
    credit: Amount
    currency: Currency
    book_amount: Amount
    payment_mode: Code | None = None
    lettering: Code | None = None
    lettered_on: date | None = None
    label: Text = ""
    fields: dict[EntryField, Text] = Field(default_factory=dict)


class Contact(Record):
    """A person at a client's. ``key`` names the contact in the source."""

    key: Key
    name: Line
    service: Line = ""
    function: Line = ""
    emails: list[Line] = Field(default_factory=list, max_length=20)
    phones: list[Line] = Field(default_factory=list, max_length=20)


class ClientRecord(Record):
    """A client with everything the source knows of him, contacts included."""

    record: Literal["client"] = "client"
    client_id: ClientId
    account: Code
    currency: Currency | None = None
    profile: Code | None = None
    category: Code | None = None
    payment_mode: Code | None = None
    name: Line = ""
    emails: list[Line] = Field(default_factory=list, max_length=50)
    phones: list[Line] = Field(default_factory=list, max_length=50)
    address: dict[Code, Line] = Field(default_factory=dict)
    contact_name: Line | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    sales_person: Line | None = None
    """The name; without ``sales_person_code`` a code is made of it, since events carry codes only."""
    sales_person_code: Code | None = None
    contacts: list[Contact] = Field(default_factory=list, max_length=200)
    fields: dict[ClientField, Text] = Field(default_factory=dict)


class GoneRecord(Record):
    """A line that changed and is no customer's any more; also said of lines that never were."""

    record: Literal["gone"] = "gone"
    key: Key


class KeysRecord(Record):
    """Some of the keys of all customer lines there are. Their order says nothing."""

    record: Literal["keys"] = "keys"
    keys: list[Key] = Field(max_length=20_000)


class PassRecord(Record):
    """From here on the source was read once more, for what changed meanwhile. In a complete delivery each pass
    that shows clients shows all of them."""

    record: Literal["pass"] = "pass"


class TroubleRecord(Record):
    """Something the source shows that is worth telling: a code and the details of its wording."""

    record: Literal["trouble"] = "trouble"
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,60}$")]
    details: dict[str, Text] = Field(default_factory=dict)


class TotalsRecord(Record):
    """What the source counts and adds up itself, by other means than reading row by row."""

    record: Literal["totals"] = "totals"
    entries: int
    balance: Decimal
    clients: int
    contacts: int


class EndRecord(Record):
    """The delivery is whole: ``records`` lines stand before this one."""

    record: Literal["end"] = "end"
    mode: Mode
    cursor: dict[str, Any]
    records: int


AnyRecord = Annotated[
    EntryRecord | ClientRecord | GoneRecord | KeysRecord | PassRecord | TroubleRecord | TotalsRecord | EndRecord,
    Field(discriminator="record"),
]
RECORD: TypeAdapter[AnyRecord] = TypeAdapter(AnyRecord)


class Assignment(Record):
    """What a connector is asked to read, and what it needs to know for it.

    ``cursor`` is what it gave back at its last whole delivery, ``wanted`` are keys that sync lacks. ``journals``
    names what a journal holds where a person chose it.
    """

    mode: Mode
    cursor: dict[str, Any] | None = None
    wanted: tuple[Key, ...] = ()
    accounts: tuple[str, ...] = ("411",)
    currency: Currency = "EUR"
    journals: dict[str, str] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
