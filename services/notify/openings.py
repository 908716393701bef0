"""What loading a message's pixel tells: that a person opened it, or only that a machine fetched it. Pure.

Nobody can know for sure. What is known of machines is told apart; the rest is taken for a person (rule 16.5).
"""

from collections.abc import Collection, Iterable
from datetime import timedelta
from enum import StrEnum

TOO_SOON = timedelta(seconds=10)
"""After the mail server took a message, nobody has opened it yet; scanners fetch what they check at once."""

AGENTS = (
    *("googleimageproxy", "ggpht.com", "yahoomailproxy", "bot", "spider", "crawler", "preview"),
    *("existence discovery", "barracuda", "mimecast", "proofpoint", "symantec", "trendmicro", "fortinet"),
    *("sophos", "cisco", "forcepoint", "python", "curl", "wget", "java/", "okhttp", "go-http-client", "libwww"),
    "headless",
)
"""Proxies that fetch pictures for their users, scanners, and programs, as they call themselves."""
BARE = frozenset({"", "mozilla/5.0", "mozilla/4.0"})
"""Apple's mail privacy protection says no more, and fetches every picture whether or not anybody looks."""


class Machine(StrEnum):
    """Why a machine is thought to have fetched it."""

    TOO_SOON = "too_soon"
    AGENT = "agent"


def machine(agent: str, since_sent: timedelta) -> Machine | None:
    """``None``: nothing speaks against a person."""
    told = agent.strip().lower()
    if told in BARE or any(name in told for name in AGENTS):
        return Machine.AGENT
    return Machine.TOO_SOON if since_sent < TOO_SOON else None


def all_consented(recipients: Iterable[str], consented: Collection[str]) -> bool:
    """A message has one pixel for all who get it: it may carry it, and its loading be told, if every one of them
    agreed. Nobody agreed where nobody is known any more."""
    written_to = {one.strip().lower() for one in recipients}
    return bool(written_to) and written_to <= set(consented)
