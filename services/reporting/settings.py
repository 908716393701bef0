"""Reporting's own knobs."""

from pydantic import Field

from chassis.settings import Settings


class ReportingSettings(Settings):
    """``RELANCE_*`` variables that only reporting reads."""

    names_per_job: int = 500
    """How many clients one job fetches the names of."""

    money_every: float = Field(default=60, gt=0)
    """Seconds between two counts of what is owed and what was done today, shown at ``/metrics``."""

    doorkeeper_url: str = Field(default="", repr=False)
    """NATS as the doorkeeper, who lets other systems in; empty: nobody subscribes."""
    doorkeeper_key: str = Field(default="", repr=False)
    """Any long secret, the one that the configuration of NATS was written with; the doorkeeper signs by it."""
    subscribers_url: str = ""
    """Where other systems reach NATS, as they are told: ``tls://events.example:4222``. Empty: as services do."""
    mend_seconds: float = Field(default=60, gt=0)
    """How often the places of subscribers in the streams are looked after."""

    sealing_key: str = Field(default="", repr=False)
    """Any long secret; those of webhooks are kept sealed by it. Several, separated by commas: the first seals, all
    open. Empty: there are no webhooks."""
    webhook_networks: str = ""
    """Networks besides the public internet that webhooks may reach, and reach without TLS:
    ``10.20.0.0/16,127.0.0.1``."""
    webhook_seconds: float = Field(default=15, gt=0)
    """How long a receiver may take to answer."""
    webhook_connections: int = Field(default=16, ge=1, le=200)
    """How many events this process delivers at a time."""
    webhook_attempts: int = Field(default=12, ge=1, le=50)
    """After so many an event is put aside, and those behind it go on."""
    webhook_pause_seconds: float = Field(default=5, gt=0)
    """Pause after the first failure; it grows fourfold each time."""
    webhook_longest_pause_seconds: float = Field(default=6 * 3600, gt=0)
    webhook_lease_seconds: float = Field(default=30, gt=1)
    """How long after a crash another process delivers what was in hand."""
    webhook_keep_days: int = Field(default=30, ge=1)
    """How long a delivered event stays in the list."""
    webhook_keep_dead_days: int = Field(default=90, ge=1)
    """How long an event that was put aside may still be tried again; then it is forgotten, which is counted and
    shown beside its webhook."""
