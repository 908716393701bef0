"""Connectors that read a live base: they turn its rows into records, and say in codes what keeps them from it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from services.sync.domain.records import Assignment


class SourceTrouble(Exception):
    """The source cannot be read. ``code`` and ``details`` fill the connector's wording; nothing secret or personal
    is in them."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(f"{code} {details}" if details else code)
        self.code = code
        self.details: Mapping[str, str] = details


class LiveSource(Protocol):
    """One connection to a base."""

    def probe(self) -> None:
        """Make sure that it answers. Raises ``SourceTrouble``."""

    def records(self, assignment: Assignment) -> Iterator[dict[str, Any]]:
        """The records of one delivery, the end included, as ``services.sync.domain.records`` describes them.

        Raises ``SourceTrouble``; what was answered before is then worth nothing.
        """
        ...


OpenSource = Callable[[str, Mapping[str, Any]], AbstractContextManager[LiveSource]]
"""(address of the base, options of the connector) to a connection. Raises ``SourceTrouble``."""
