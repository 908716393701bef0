"""Who builds beta's next version, to be killed: ``python -m tests.integration.chassis.example.builder``."""

import asyncio
import os

from chassis.beside.building import build
from chassis.beside.stages import Stages
from tests.integration.chassis.example.wiring import BETA, REGISTRY


async def main() -> None:
    stages = Stages(
        "beta",
        "tests.integration.chassis.example.beta",
        BETA,
        REGISTRY,
        os.environ["BETA_OWNER"],
        os.environ["BETA_NATS"],
    )
    await build(stages, lambda progress: None, lease_seconds=1.5)


if __name__ == "__main__":
    asyncio.run(main())
