"""Beta as a process of its own, to be killed: ``python -m tests.integration.chassis.example.process``."""

import asyncio
import os

from faststream.nats import NatsBroker

from chassis.database import engine
from chassis.projection import ProjectionWorker
from tests.integration.chassis.example.wiring import BETA, REGISTRY


async def main() -> None:
    broker = NatsBroker(os.environ["BETA_NATS"], logger=None, max_reconnect_attempts=-1)
    worker = ProjectionWorker(
        "beta",
        engine(os.environ["BETA_DATABASE"], "beta"),
        broker,
        BETA,
        REGISTRY,
        lease_seconds=1.5,
        tick_seconds=0.1,
        batch=20,
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
