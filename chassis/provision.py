"""The streams: made by a command, never by services, so that a service needs no right to make them."""

from collections.abc import Iterable

import nats
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StoreCompression, StreamConfig
from nats.js.errors import NotFoundError

from chassis.trust import trusting
from contracts.subjects import SPEAKERS, stream

DUPLICATE_WINDOW_SECONDS = 120
MAX_MESSAGE_BYTES = 1 << 20


def stream_config(
    speaker: str,
    *,
    generation: int = 1,
    replicas: int = 1,
    max_bytes: int | None = None,
    deny_purge: bool = False,
) -> StreamConfig:
    """How a speaker's stream must be. ``max_bytes``: about 80 % of the volume; full, it refuses rather than
    forgets. ``deny_purge`` is irrevocable."""
    return StreamConfig(
        name=stream(speaker, generation),
        subjects=[f"evt.{speaker}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        compression=StoreCompression.S2,
        discard=DiscardPolicy.NEW,
        max_age=0,
        max_bytes=max_bytes,
        max_msg_size=MAX_MESSAGE_BYTES,
        num_replicas=replicas,
        duplicate_window=DUPLICATE_WINDOW_SECONDS,
        allow_atomic=True,
        allow_direct=True,
        deny_delete=True,
        deny_purge=deny_purge,
    )


async def provision(  # noqa: PLR0913 one knob per property of a stream
    nats_url: str,
    speakers: Iterable[str] = SPEAKERS,
    *,
    generation: int = 1,
    replicas: int = 1,
    max_bytes: int | None = None,
    deny_purge: bool = False,
) -> dict[str, str]:
    """Create the streams that are missing and bring the others to this configuration. Idempotent.

    Answers ``{stream name: "created" | "updated" | "unchanged"}``.
    """
    connection = await nats.connect(nats_url, max_reconnect_attempts=3, **trusting(nats_url))
    try:
        jetstream = connection.jetstream()
        return {
            stream(speaker, generation): await _ensure(
                jetstream,
                stream_config(
                    speaker,
                    generation=generation,
                    replicas=replicas,
                    max_bytes=max_bytes,
                    deny_purge=deny_purge,
                ),
            )
            for speaker in speakers
        }
    finally:
        await connection.close()


async def _ensure(jetstream: JetStreamContext, config: StreamConfig) -> str:
    assert config.name is not None
    try:
        found = (await jetstream.stream_info(config.name)).config
    except NotFoundError:
        await jetstream.add_stream(config)
        return "created"
    wanted = {name: value for name, value in config.as_dict().items() if value is not None}
    present = found.as_dict()
    if all(present.get(name, value) == value for name, value in wanted.items()):
        return "unchanged"
    await jetstream.update_stream(config)
    return "updated"
