"""Sync's own knobs."""

import json
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from chassis.settings import Settings


class SyncSettings(Settings):
    """``RELANCE_*`` variables that only sync reads."""

    largest_import_mb: int = 2_000
    """A larger upload is refused."""
    imports_at_once: int = 2
    """Files read at the same time by one process; files of one company are always read one after another."""
    inbox_dir: Path | None = None
    """Folder inlets read below ``<inbox_dir>/<company>``; without it there are none."""
    secrets_dir: Path | None = None
    """Passwords and private keys of SFTP inlets, one file each below ``<secrets_dir>/<company>``."""
    inlet_networks: str = ""
    """Networks besides the public internet in which companies may name SFTP servers: ``10.20.0.0/16,127.0.0.1``.
    Bases and folders are named by the operator, and not judged."""
    fetches_at_once: int = 4
    """Inlets looked into at the same time by one process."""
    people_per_call: int = 10_000
    """Clients handed to ledger in one call, and said by it in one transaction; at most 20,000."""

    source_addresses: dict[str, str] = Field(default_factory=dict, repr=False)
    """Where the bases are that sync reads itself, login and password included: a JSON object of
    ``"company/connector"`` to ``"mssql+pymssql://login:password@server/BASE"``. Best given as
    ``RELANCE_SOURCE_ADDRESSES_FILE``."""
    bases_at_once: int = 4
    """Deliveries read or taken in at the same time by one process; those of one company one after another."""
    heartbeat_seconds: float = 30
    """How often connectors give a sign of life."""
    connector_silent_after_seconds: float = 300
    """A connector that was not heard for longer is silent; a sync is refused (rule 2.2)."""
    delivery_patience_seconds: float = 900
    """A delivery of which nothing more came for as long has failed."""
    source_patience_seconds: float = 600
    """A base that answers no row for as long is too slow to be read."""

    @field_validator("source_addresses", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """The content of a secret file is text."""
        return json.loads(value) if isinstance(value, str) else value
