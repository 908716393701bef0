"""Events as they are said, for people and for machines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.embedded import Stack
from chassis.embedded_config import NATS_READER
from chassis.trust import trusting
from cli.places import SERVICES, read_state
from contracts.subjects import SPEAKERS, stream

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from chassis.delivered import Delivered


def follow(  # noqa: PLR0913 - one argument per option
    data_dir: Path, speakers: Sequence[str], company: str | None, *, past: bool, bodies: bool, as_json: bool
) -> None:
    """Prints events until interrupted. Raises ``StackNotRunning``."""
    read_state(data_dir)
    url = Stack(data_dir, SERVICES).attach().nats_url(NATS_READER)

    def show(event: Delivered) -> None:
        print(event_as_json(event) if as_json else _line(event, bodies=bodies), flush=True)

    asyncio.run(_follow(url, speakers or SPEAKERS, company, past, show))


async def _follow(url: str, speakers: Sequence[str], company: str | None, past: bool, show: Any) -> None:
    import nats
    from nats.js.api import ConsumerConfig, DeliverPolicy

    from chassis.envelope import event_of

    async def on_message(message: Msg) -> None:
        show(event_of(message, {}))

    policy = DeliverPolicy.ALL if past else DeliverPolicy.NEW
    async with AsyncExitStack() as closing:
        bus = await nats.connect(url, max_reconnect_attempts=-1, **trusting(url))
        closing.push_async_callback(bus.close)
        for speaker in speakers:
            await bus.jetstream().subscribe(
                f"evt.{speaker}.{company or '*'}.>",
                stream=stream(speaker),
                cb=on_message,
                ordered_consumer=True,
                config=ConsumerConfig(deliver_policy=policy),
            )
        await asyncio.Event().wait()


def _line(event: Delivered, *, bodies: bool) -> str:
    moment = event.occurred_at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    about = f" {event.client_id}" if event.client_id is not None else ""
    what = f"{event.speaker}.{event.type}"
    line = f"{moment} {event.position!s:<16} {event.company} {event.as_of} {what}{about} by {event.actor}"
    return f"{line} {event.body.decode()}" if bodies else line


def event_as_json(event: Delivered) -> str:
    """An event with all that is known of it, on one line."""
    return json.dumps(
        {
            "position": str(event.position),
            "id": str(event.event_id),
            "type": f"relance.{event.speaker}.{event.type}.v{event.major}",
            "time": event.occurred_at.isoformat(),
            "company": event.company,
            "client": event.client_id,
            "as_of": event.as_of.isoformat(),
            "actor": event.actor,
            "correlation": str(event.correlation_id),
            "causation": str(event.causation_id) if event.causation_id else None,
            "data": json.loads(event.body),
        },
        ensure_ascii=False,
    )
