"""Companies at rest, as the rows of ``company_hold`` name them: nothing is done for them, nothing of them changes.

What works by itself asks in its own statements; requests ask here, where the answer is kept for a moment.
"""

from collections.abc import Callable
from time import monotonic

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

KEPT_SECONDS = 1.0
"""So long after its row a company is at rest for every request."""

HELD = text("select company from company_hold")


class Holds:
    """Asked by every request that changes something, hence not asked of PostgreSQL each time."""

    def __init__(self, engine: Callable[[], AsyncEngine]) -> None:
        self._engine = engine
        self._known: frozenset[str] = frozenset()
        self._asked = -KEPT_SECONDS

    async def has(self, company: str) -> bool:
        """Whether the company is at rest."""
        if monotonic() - self._asked >= KEPT_SECONDS:
            async with self._engine().connect() as connection:
                self._known = frozenset(await connection.scalars(HELD))
            self._asked = monotonic()
        return company in self._known
