"""Where things are: the project, the data directory, and what a running stack says of itself."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("sync", "ledger", "dunning", "notify", "reporting", "console")
"""In the order in which they are told of: each listens to those before it."""


def default_data_dir() -> Path:
    """``$RELANCE_DATA``, else ``.relance`` in the project."""
    chosen = os.environ.get("RELANCE_DATA")
    return Path(chosen) if chosen else ROOT / ".relance"


@dataclass(frozen=True)
class State:
    """What a running stack tells other commands, in ``state.json`` of its data directory."""

    pid: int
    urls: dict[str, str]
    """Service name to base URL."""
    pids: dict[str, int]
    private_key_file: str
    public_key_file: str
    started_at: str
    extra: dict[str, Any] = field(default_factory=dict)
    """What a command adds for others: the URL of the demonstration's mail, a login."""


class StackNotRunning(Exception):
    """No stack runs in this data directory."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(f"no stack runs in {data_dir}; start one with: relance up --data {data_dir}")
        self.data_dir = data_dir


def read_state(data_dir: Path) -> State:
    """The state of the stack that runs in a data directory, or of the one that the environment names as it does
    for services. Raises ``StackNotRunning``."""
    named = _named_by_environment()
    if named is not None:
        return named
    try:
        state = State(**json.loads((data_dir / "state.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as unreadable:
        raise StackNotRunning(data_dir) from unreadable
    if not Path(f"/proc/{state.pid}").exists():
        raise StackNotRunning(data_dir)
    return state


def _named_by_environment() -> State | None:
    """Where the command runs beside services that were not started here: in containers, in a cluster."""
    urls = {service: os.environ.get(f"RELANCE_{service.upper()}_URL", "") for service in SERVICES}
    private, public = (os.environ.get(f"RELANCE_TOKEN_{half}_KEY_FILE", "") for half in ("PRIVATE", "PUBLIC"))
    if not private or not all(urls.values()):
        return None
    return State(0, urls, {}, private, public, started_at="")
