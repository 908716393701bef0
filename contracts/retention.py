"""How long the contents of messages and files are kept, and the first day that is. Pure.

The periods that come with the program are those of French law; docs/guide/retention.md names the texts.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time

MONTHS_OF_YEAR = 12


def kept_from(as_of: date, months: int) -> date:
    """The first day whose contents are still kept on ``as_of``: the same day ``months`` before, or the last of its
    month. What is older has had its time."""
    year, month = divmod(as_of.year * MONTHS_OF_YEAR + as_of.month - 1 - months, MONTHS_OF_YEAR)
    return date(year, month + 1, min(as_of.day, monthrange(year, month + 1)[1]))


def kept_since(as_of: date, months: int | None) -> datetime | None:
    """As ``kept_from``, as an instant; ``None`` where nothing ends by itself."""
    return None if months is None else datetime.combine(kept_from(as_of, months), time(), UTC)
