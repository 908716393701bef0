"""Whether a stream is the one that checkpoints speak of: its tail may be lost, or it was made again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Of one partition: everything up to ``pos`` is applied, and its own last event is ``anchor``, at ``at``."""

    pos: int
    at: int
    anchor: UUID | None


async def is_anchored(jetstream: JetStreamContext, stream: str, checkpoints: Iterable[Checkpoint]) -> bool:
    """Whether the last applied event of every partition is where it was."""
    anchors = [checkpoint for checkpoint in checkpoints if checkpoint.at]
    return all(await asyncio.gather(*(_holds(jetstream, stream, one) for one in anchors)))


async def _holds(jetstream: JetStreamContext, stream: str, checkpoint: Checkpoint) -> bool:
    try:
        message = await jetstream.get_msg(stream, seq=checkpoint.at, direct=True)
    except NotFoundError:
        return False
    return (message.headers or {}).get("ce-id") == str(checkpoint.anchor)
