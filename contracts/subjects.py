"""The only place where a stream or a subject is spelled, and where a client finds its partition."""

from zlib import crc32

PARTITIONS = 64
NOBODY = "--removed--"
"""Whose the events are that were deleted with their company, and left nothing but their number: of no company."""
SPEAKERS = ("sync", "ledger", "dunning", "notify", "reporting")


def partition_of(company: str, client_id: str | None) -> int:
    """The partition of a client's events; an event without a client uses the company itself as key.

    The same number comes from PostgreSQL 18: ``crc32(convert_to(company || ':' || key, 'UTF8')) % 64``.
    """
    return crc32(f"{company}:{client_id if client_id is not None else company}".encode()) % PARTITIONS


def stream(speaker: str, generation: int = 1) -> str:
    """Name of the JetStream stream that carries a speaker's events."""
    return f"EVT_{speaker.upper()}_G{generation}"


def subject(speaker: str, company: str, partition: int, name: str) -> str:
    """Subject of one event, e.g. ``evt.sync.acme.p07.EntriesSynced``."""
    return f"evt.{speaker}.{company}.p{partition:02d}.{name}"


def partition_filter(speaker: str, partition: int) -> str:
    """Filter that selects one partition of a speaker over all companies."""
    return f"evt.{speaker}.*.p{partition:02d}.>"


def company_filter(speaker: str, company: str, partition: int | None = None) -> str:
    """Filter that selects what a speaker says about one company, or about one partition of it."""
    return f"evt.{speaker}.{company}.{'*' if partition is None else f'p{partition:02d}'}.>"
