"""What request bodies have in common."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Members nobody asked for are refused: they are spelling mistakes."""

    model_config = ConfigDict(extra="forbid")
