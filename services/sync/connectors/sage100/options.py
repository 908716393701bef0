"""What an administrator chooses for one Sage base."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.sync.domain.records import ClientField, EntryField

ColumnName = Annotated[str, Field(min_length=1, max_length=128)]


class SageOptions(BaseModel):
    """Options of a Sage 100 connector; the delivered ones suit a base that nobody extended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    db_schema: Annotated[str, Field(max_length=128)] | None = None
    """Where the tables are, when not in the login's default schema (``dbo``)."""
    carried_forward: Literal["originals", "carried"] = "originals"
    """How an invoice that was carried forward is counted once: by its own line (lines brought forward count in the
    first fiscal year of the base only), or by the line of the last year it was brought forward to."""
    profile_column: ColumnName | None = None
    """Column of F_COMPTET that holds the client's profile, e.g. ``CT_Statistique01``."""
    category_column: ColumnName | None = None
    client_fields: dict[ClientField, ColumnName] = Field(default_factory=dict)
    """Custom field to column of F_COMPTET, free information columns included: ``{"tag1": "REP TEL"}``."""
    entry_fields: dict[EntryField, ColumnName] = Field(default_factory=dict)
    """Custom field to column of F_ECRITUREC: ``tag1`` to ``tag3``."""
    overlap_minutes: int = Field(120, ge=0, le=1440)
    """How far before its last mark an incremental read begins: covers transactions that were open meanwhile, and
    the hour that a server's clock repeats in autumn."""
