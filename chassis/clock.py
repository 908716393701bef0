"""The only place where the wall clock is read. Everything else is given ``as_of`` (a date) or an instant."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def today(time_zone: str) -> date:
    """The present day in an IANA time zone, e.g. ``Europe/Paris``.

    Raises ``zoneinfo.ZoneInfoNotFoundError`` for a zone that does not exist.
    """
    return datetime.now(ZoneInfo(time_zone)).date()
