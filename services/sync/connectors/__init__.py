"""Connectors: how lines of accounting come in. Each is pure: a file in, lines and problems out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

from services.sync.domain.lines import JournalSide, Line
from services.sync.domain.problems import Verdict


@dataclass(frozen=True)
class Rules:
    """How one company's files are read: its customer accounts (prefixes), its bookkeeping currency, the codes of
    tolerable problems it has accepted, the business day, and for mapped files the mapping under its name."""

    accounts: tuple[str, ...] = ("411",)
    currency: str = "EUR"
    accepted: frozenset[str] = frozenset()
    as_of: date | None = None
    mapping_name: str = ""
    mapping: dict[str, Any] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """Free field of an entry to the column of a FEC that holds it."""


@dataclass
class ClientDetails:
    """What a source tells of a client beside its name. None is: it says nothing of it; ``""``: it has none.

    ``person`` holds members of what ledger takes of a client: emails, phones, address, contact_name, language,
    fields; and as ``salesperson`` the code and the name of who looks after it. ``salesperson`` is the code alone.
    """

    person: dict[str, Any]
    profile: str | None = None
    category: str | None = None
    payment_mode: str | None = None
    currency: str | None = None
    salesperson: str | None = None


@dataclass
class Read:
    """What is known once the whole file was read."""

    lines: int = 0
    last_day: str = ""
    journals: dict[str, JournalSide] = field(default_factory=dict)
    names: dict[str, dict[str, int]] = field(default_factory=dict)
    """Names seen per client, with their number of lines."""
    accounts: dict[str, str] = field(default_factory=dict)
    """First account, in order of the account numbers, per client."""
    encoding: str = ""
    details: dict[str, ClientDetails] = field(default_factory=dict)
    """More of the clients, where the source tells it."""
    book: str = ""
    """The book that the source shows, where the source itself names it."""
    holds: Literal["entries", "clients", "contacts"] = "entries"
    is_keyed: bool = False
    """Every line has a key of the source's own, which no two lines may share."""
    keeps_missing: bool = False
    """Lines that are not shown any more stay as they are: the source brings additions."""
    gone: list[str] = field(default_factory=list)
    """Row keys (see ``staging``) of lines that the source withdraws by name."""
    lists_clients: bool = False
    """A client that stands in the source is a client, whether it has lines or not."""


class Reading(Protocol):
    """One file being read. ``verdict`` and ``read`` are complete after the last batch."""

    read: Read

    def batches(self) -> Iterator[list[Line]]:
        """Customer lines in the order of the file, a few thousand at a time; never raises for bad content."""
        ...

    def verdict(self) -> Verdict: ...


class Connector(Protocol):
    """A kind of source."""

    name: str

    def open(self, path: Path, rules: Rules) -> Reading:
        """Begin to read a file."""
        ...


Wording = Callable[[str, str, dict[str, str]], tuple[str, str]]
"""(code, language, details) to (message, remedy)."""
