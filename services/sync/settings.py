"""Sync's own knobs."""

from chassis.settings import Settings


class SyncSettings(Settings):
    """``RELANCE_*`` variables that only sync reads."""

    largest_import_mb: int = 2_000
    """A larger upload is refused."""
    imports_at_once: int = 2
    """Files read at the same time by one process; files of one company are always read one after another."""
    people_per_call: int = 10_000
    """Clients handed to ledger in one call, and said by it in one transaction; at most 20,000."""
