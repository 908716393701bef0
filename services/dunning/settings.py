"""Dunning's own knobs."""

from chassis.settings import Settings


class DunningSettings(Settings):
    """``RELANCE_*`` variables that only dunning reads."""

    round_wait_seconds: float = 30.0
    """How long ``POST /rounds`` waits for the positions that the round must know."""
    round_pause_seconds: float = 0.2
    """How often to look for a round that was asked for."""
    round_chunk_entries: int = 10000
    """Open entries decided in one transaction, about."""
    round_lanes: int = 2
    """Partitions that one process decides side by side."""
    simulation_processes: int = 2
    """Processes of low priority that one worker gives to simulations; parts of simulations that run at once."""
    simulation_kept_days: int = 7
