"""``python -m services.sync.agent connector.toml``: look after the bases of that file until stopped."""

import asyncio
import logging
import signal
import sys
from pathlib import Path

import httpx

from chassis.logs import write_json_lines
from services.sync.agent.configuration import Configuration, ConfigurationRefused, read
from services.sync.agent.working import Agent
from services.sync.connectors.kinds import LIVE

log = logging.getLogger(__name__)


async def look_after(configuration: Configuration) -> None:
    """All bases at once, until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stopping.set)
    async with httpx.AsyncClient(timeout=httpx.Timeout(60, connect=10)) as http:
        tasks = [asyncio.create_task(Agent(configuration, base, LIVE, http).run()) for base in configuration.bases]
        log.info("agent started", extra={"bases": len(tasks)})
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and (surprise := task.exception()) is not None:
                raise surprise
            task.cancel()
        await asyncio.wait(tasks)


def main() -> int:
    write_json_lines("connector", "INFO")
    try:
        configuration = read(Path(sys.argv[1]))
    except ConfigurationRefused as refused:
        log.error("configuration refused", extra={"why": str(refused)})
        return 1
    asyncio.run(look_after(configuration))
    return 0


if __name__ == "__main__":
    sys.exit(main())
