"""Reporting's own knobs."""

from chassis.settings import Settings


class ReportingSettings(Settings):
    """``RELANCE_*`` variables that only reporting reads."""

    names_per_job: int = 500
    """How many clients one job fetches the names of."""
