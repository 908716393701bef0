"""The company's policy, checked when loaded; amounts in ten-thousandths of the bookkeeping currency."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from contracts.dunning import PolicyChanged
from services.dunning.domain.amounts import ten_thousandths
from services.dunning.domain.calendar import impossible

GROUPINGS = ("item", "account")
NETTINGS = ("same_level", "account", "none")
MOST_DAYS = 365


class Policy(NamedTuple):
    mode: str = "item"
    netting: str = "same_level"
    default_profile: str = "Standard"
    minimum_per_entry: int | None = None
    minimum_per_reminder: int | None = None
    maximum_per_reminder: int | None = None
    promises_exclude: bool = False
    automatic_payment_modes: frozenset[str] = frozenset()
    disputes_exclude: bool = False
    creditors_hidden: bool = False
    upcoming_credits_excluded: bool = False
    contact_gap_days: int = 0
    automatic_from: date | None = None
    stale_after_days: int = 1
    tolerance_days: int = 0
    tolerance_amount: int | None = None
    version: int = 0


class PolicyRefused(Exception):
    """A policy that cannot work; each kind is a fact of its own, ``str()`` says it in a sentence."""


class UnknownGrouping(PolicyRefused): ...


class UnknownNetting(PolicyRefused): ...


class NegativeThreshold(PolicyRefused): ...


class MinimumAboveMaximum(PolicyRefused): ...


class CalendarImpossible(PolicyRefused): ...


class DefaultProfileMissing(PolicyRefused): ...


class DaysOutOfRange(PolicyRefused): ...


class ProfileWithoutScenario(PolicyRefused): ...


def load(changed: PolicyChanged) -> Policy:
    if changed.mode not in GROUPINGS:
        raise UnknownGrouping(f"mode {changed.mode!r} is not one of {', '.join(GROUPINGS)}.")
    if changed.netting not in NETTINGS:
        raise UnknownNetting(f"netting {changed.netting!r} is not one of {', '.join(NETTINGS)}.")
    if not changed.default_profile.strip():
        raise DefaultProfileMissing("a client without a profile needs the name of the default one.")
    if (part := impossible(changed.calendar)) is not None:
        raise CalendarImpossible(
            f"{part}: weekdays are 1 to 7, days of the month 1 to 31, the hour is written HH:MM."
        )
    minimum, maximum = changed.minimum_per_reminder, changed.maximum_per_reminder
    for threshold in (changed.minimum_per_entry, minimum, maximum):
        _check_amount(threshold)
    _check_days("contact_gap_days", changed.contact_gap_days)
    _check_days("stale_after_days", changed.stale_after_days)
    check_tolerance(changed.tolerance_days, changed.tolerance_amount)
    if minimum is not None and maximum is not None and minimum > maximum:
        raise MinimumAboveMaximum(f"nothing passes a minimum of {minimum} and a maximum of {maximum}.")
    return Policy(
        mode=changed.mode,
        netting=changed.netting,
        default_profile=changed.default_profile,
        minimum_per_entry=_threshold(changed.minimum_per_entry),
        minimum_per_reminder=_threshold(minimum),
        maximum_per_reminder=_threshold(maximum),
        promises_exclude=changed.promises_exclude,
        automatic_payment_modes=frozenset(changed.automatic_payment_modes),
        disputes_exclude=changed.disputes_exclude,
        creditors_hidden=changed.creditors_hidden,
        upcoming_credits_excluded=changed.upcoming_credits_excluded,
        contact_gap_days=changed.contact_gap_days,
        automatic_from=changed.automatic_from,
        stale_after_days=changed.stale_after_days,
        tolerance_days=changed.tolerance_days,
        tolerance_amount=_threshold(changed.tolerance_amount),
        version=changed.version,
    )


def check_tolerance(days: int | None, amount: Decimal | None) -> None:
    """Of a company, or of one client; raises a ``PolicyRefused``."""
    if days is not None:
        _check_days("tolerance_days", days)
    _check_amount(amount)


def _check_amount(threshold: Decimal | None) -> None:
    if threshold is not None and threshold < 0:
        raise NegativeThreshold(f"a threshold is zero or more, not {threshold}.")


def _check_days(name: str, days: int) -> None:
    if not 0 <= days <= MOST_DAYS:
        raise DaysOutOfRange(f"{name} is 0 to {MOST_DAYS} days, not {days}.")


def _threshold(amount: Decimal | None) -> int | None:
    return None if amount is None else ten_thousandths(amount)
