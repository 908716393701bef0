"""Ledger's own knobs."""

from chassis.settings import Settings


class LedgerSettings(Settings):
    """``RELANCE_*`` variables that only ledger reads."""

    settle_pause_seconds: float = 0.5
    """How often to look for runs that are heard whole, whose lettering groups can be judged."""
    day_pause_seconds: float = 600
    """How often to look whether a company's day has begun. With ``allow_as_of`` days only begin when asked."""
    day_begins_alone: bool = True
    """Let the day of each company begin by the clock; off where something else calls ``POST /day``."""
    largest_bundle_mb: int = 100
    """How large a ZIP of documents may be as it is sent."""
    largest_document_mb: int = 15
    """How large one document may be: a mail may carry no more (rule 9.1)."""
    largest_unpacked_mb: int = 400
    """What the documents of one ZIP may come to when unpacked."""
    debtor_promise_days: int = 30
    """How far ahead a debtor may promise a payment by itself (rule 10.9)."""
    debtor_answers_per_day: int = 20
    """How many promises and disputes of one client a day takes from its debtor."""
