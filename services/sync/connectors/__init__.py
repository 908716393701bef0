"""Connectors: how lines of accounting come in. Each is pure: a file in, lines and problems out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from services.sync.domain.lines import JournalSide, Line
from services.sync.domain.problems import Verdict


@dataclass(frozen=True)
class Rules:
    """How one company's files are read: its customer accounts (prefixes), its bookkeeping currency, and the
    codes of tolerable problems it has accepted."""

    accounts: tuple[str, ...] = ("411",)
    currency: str = "EUR"
    accepted: frozenset[str] = frozenset()


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
