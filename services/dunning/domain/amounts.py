"""Money inside the rules: whole ten-thousandths of a currency unit, so that sums are exact and cheap."""

from decimal import Decimal
from functools import lru_cache

PER_UNIT = 10_000


def ten_thousandths(amount: Decimal) -> int:
    """Exact for amounts of at most four decimals, which is all that events carry."""
    return int(amount * PER_UNIT)


@lru_cache(maxsize=4096)
def decimal(amount: int) -> Decimal:
    """Two decimals wherever they are enough, four otherwise."""
    if amount % 100 == 0:
        return Decimal(amount // 100).scaleb(-2)
    return Decimal(amount).scaleb(-4)


def amount_text(amount: int) -> str:
    """As events carry it: what ``decimal`` is in plain digits."""
    if amount < 0:
        return "-" + amount_text(-amount)
    if amount % 100:
        return f"{amount // PER_UNIT}.{amount % PER_UNIT:04d}"
    return f"{amount // PER_UNIT}.{amount % PER_UNIT // 100:02d}"
