"""The company's policy, checked when loaded; amounts in ten-thousandths of the bookkeeping currency."""

from decimal import Decimal
from typing import NamedTuple

from contracts.dunning import PolicyChanged
from services.dunning.domain.amounts import ten_thousandths

GROUPINGS = ("item", "account")
NETTINGS = ("same_level", "account", "none")


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


class PolicyRefused(Exception):
    """A policy that cannot work; each kind is a fact of its own, ``str()`` says it in a sentence."""


class UnknownGrouping(PolicyRefused): ...


class UnknownNetting(PolicyRefused): ...


class NegativeThreshold(PolicyRefused): ...


class MinimumAboveMaximum(PolicyRefused): ...


class DefaultProfileMissing(PolicyRefused): ...


def load(changed: PolicyChanged) -> Policy:
    if changed.mode not in GROUPINGS:
        raise UnknownGrouping(f"mode {changed.mode!r} is not one of {', '.join(GROUPINGS)}.")
    if changed.netting not in NETTINGS:
        raise UnknownNetting(f"netting {changed.netting!r} is not one of {', '.join(NETTINGS)}.")
    if not changed.default_profile.strip():
        raise DefaultProfileMissing("a client without a profile needs the name of the default one.")
    minimum, maximum = changed.minimum_per_reminder, changed.maximum_per_reminder
    for threshold in (changed.minimum_per_entry, minimum, maximum):
        if threshold is not None and threshold < 0:
            raise NegativeThreshold(f"a threshold is zero or more, not {threshold}.")
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
    )


def _threshold(amount: Decimal | None) -> int | None:
    return None if amount is None else ten_thousandths(amount)
