"""The kinds of connectors that read a live base, and the options each takes."""

from pydantic import BaseModel

from services.sync.connectors.live import OpenSource
from services.sync.connectors.sage100.options import SageOptions
from services.sync.connectors.sage100.source import open_base

LIVE: dict[str, OpenSource] = {"sage100": open_base}
OPTIONS: dict[str, type[BaseModel]] = {"sage100": SageOptions}
