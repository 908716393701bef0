"""A sender of webhooks as a process of its own, to be killed."""

import asyncio
import json
import sys

from chassis.database import engine
from services.reporting.settings import ReportingSettings
from services.reporting.webhooks.sending import Sender

if __name__ == "__main__":
    settings = ReportingSettings(**json.loads(sys.stdin.read()))
    asyncio.run(Sender(engine(settings.database_url, "reporting", size=5), settings).run())
