"""What every answer is made of."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

_CENT = Decimal("0.01")


def exact(amount: Decimal) -> str:
    """The amount as a plain decimal string, never rounded, with at least two decimals: ``"1250.40"``."""
    cents = amount.quantize(_CENT)
    return format(cents if cents == amount else amount.normalize(), "f")


Money = Annotated[Decimal, PlainSerializer(exact, return_type=str, when_used="json")]

Medium = Literal["email", "letter", "phone", "other"]


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True)
