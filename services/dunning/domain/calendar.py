"""The days on which something may be sent: weekdays, public holidays, days of the month (rule 4.16).

A calendar answers by looking up days that it has worked out once: a round asks it hundreds of thousands of times.
"""

import re
from calendar import monthrange
from collections.abc import Container, Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import holidays

from contracts.dunning import SendingCalendar

WEEKDAYS = range(1, 8)
MONTH_DAYS = range(1, 32)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_ONE_DAY = timedelta(days=1)


class CompanyDays(NamedTuple):
    """What a company has where a step says nothing, and the country whose holidays count."""

    calendar: SendingCalendar = SendingCalendar()
    country: str = "FR"


EVERY_DAY = CompanyDays()


class Calendar:
    """The days on which steps fall, and those on which something may leave at all."""

    __slots__ = ("_falls_on", "_holidays", "_month_days", "_weekdays", "_works_on")

    def __init__(self, weekdays: frozenset[int], month_days: tuple[int, ...], closed: Container[date]) -> None:
        self._weekdays = weekdays
        self._month_days = month_days
        self._holidays = closed
        self._works_on: dict[date, date] = {}
        self._falls_on: dict[date, date] = {}

    def working_day(self, day: date) -> date:
        """This day, or the next one that is an allowed weekday and no holiday."""
        found = self._works_on.get(day)
        if found is None:
            found = day
            while not self._works(found):
                found += _ONE_DAY
            self._works_on[day] = found
        return found

    def next_open(self, day: date) -> date:
        """This day, or the next one on which the company reminds.

        A day of the month that is closed is moved to the next working day, and so is not lost.
        """
        if not self._month_days:
            return self.working_day(day)
        found = self._falls_on.get(day)
        if found is None:
            found = self._falls_on[day] = min(one for one in self._reminding_days(day) if one >= day)
        return found

    def opens(self, as_of: date, since: date) -> date:
        """``as_of``, or the next day on which something new may be said.

        ``since`` is the first day that no round has covered: a reminding day that was missed is caught up on the
        next working day (rule 22.11).
        """
        falls_on = self.next_open(since)
        return self.working_day(as_of) if falls_on <= as_of else falls_on

    def is_working_day(self, day: date) -> bool:
        return self.working_day(day) == day

    def _works(self, day: date) -> bool:
        return day.isoweekday() in self._weekdays and day not in self._holidays

    def _reminding_days(self, day: date) -> Iterator[date]:
        """Of the month before, whose last ones may be moved into this one, to that after the next."""
        first = (day.replace(day=1) - _ONE_DAY).replace(day=1)
        for _ in range(4):
            last = monthrange(first.year, first.month)[1]
            for number in self._month_days:
                yield self.working_day(first.replace(day=min(number, last)))
            first = first.replace(day=last) + _ONE_DAY


def calendar(company: CompanyDays, step: SendingCalendar | None = None) -> Calendar | None:
    """The calendar of a step; ``None`` when every day is open. What it does not say is as the company has it."""
    base, own = company.calendar, step or SendingCalendar()
    weekdays = base.weekdays if own.weekdays is None else own.weekdays
    month_days = base.month_days if own.month_days is None else own.month_days
    skip_holidays = base.skip_holidays if own.skip_holidays is None else own.skip_holidays
    return _calendar(
        frozenset(weekdays or WEEKDAYS),
        tuple(sorted(set(month_days or ()))),
        company.country if skip_holidays and knows_holidays_of(company.country) else None,
    )


def not_before(company: CompanyDays, step: SendingCalendar | None = None) -> str | None:
    """The local time that what leaves by itself waits for."""
    own = None if step is None else step.not_before
    return company.calendar.not_before if own is None else own


@lru_cache(maxsize=256)
def _calendar(weekdays: frozenset[int], month_days: tuple[int, ...], country: str | None) -> Calendar | None:
    """Shared by all steps and companies alike, so that days are worked out once in a process."""
    if len(weekdays) == len(WEEKDAYS) and not month_days and country is None:
        return None
    closed: Container[date] = () if country is None else holidays.country_holidays(country)
    return Calendar(weekdays, month_days, closed)


def knows_holidays_of(country: str) -> bool:
    return country in _countries()


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=False))


def holidays_between(country: str, first: date, last: date) -> list[date]:
    """The public holidays of a country; none where it is not known."""
    if not knows_holidays_of(country):
        return []
    years = range(first.year, last.year + 1)
    return sorted(day for day in holidays.country_holidays(country, years=years) if first <= day <= last)


def impossible(calendar: SendingCalendar) -> str | None:
    """The field of a calendar that no day or no clock can satisfy, if there is one."""
    if calendar.weekdays is not None and not set(calendar.weekdays) <= set(WEEKDAYS):
        return "weekdays"
    if calendar.month_days is not None and not set(calendar.month_days) <= set(MONTH_DAYS):
        return "month_days"
    if calendar.not_before is not None and not _TIME.fullmatch(calendar.not_before):
        return "not_before"
    return None


def uncovered_since(as_of: date, rounds: Iterable[date], company: CompanyDays) -> date:
    """The first day that no round has covered. ``rounds`` are days of the rounds before, in any order.

    A round of a closed day covers nothing: what it found missed could not leave on it either.
    """
    base = calendar(company)
    covering = [day for day in rounds if day < as_of and (base is None or base.is_working_day(day))]
    return max(covering) + _ONE_DAY if covering else as_of
