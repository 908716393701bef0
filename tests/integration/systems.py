"""The console's door for other systems before one real service, and the programs of its guide."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from chassis.auth import read_key
from chassis.database import engine, transaction
from chassis.embedded import Stack
from cli.places import ROOT
from contracts.systems import Scope
from services.console import api_keys
from services.console.accounts import create_user
from services.console.gateway import Gateway
from services.console.settings import ConsoleSettings
from services.console.systems import systems
from tests.serving import listening, port_of, serving

GUIDE = ROOT / "docs" / "guide" / "http-api.md"


@dataclass
class Door:
    """Where other systems knock, and who may make keys for them."""

    url: str
    engine: Any
    administrator: UUID

    async def key(self, company: str, name: str, scopes: Sequence[Scope]) -> dict[str, str]:
        """A new key, as the programs of the guide are told of it."""
        async with transaction(self.engine) as tx:
            made = await api_keys.make(tx, company, name, scopes, None, self.administrator)
        return {"RELANCE": self.url, "COMPANY": company, "KEY_ID": str(made.key_id), "KEY_SECRET": made.secret}


@asynccontextmanager
async def door_before(stack: Stack, service: str, app: Callable[..., Any]) -> AsyncIterator[Door]:
    """Both listen for as long as this lasts."""
    keys = engine(stack.database_url("console", "worker"), "console")
    async with transaction(keys) as tx:
        administrator = await create_user(tx, "cles@example.org", "motdepasse-solide", "Claude Léa", {})
    async with AsyncExitStack() as open_things:
        behind, before = listening(), listening()
        await open_things.enter_async_context(serving(app, behind))
        http = await open_things.enter_async_context(httpx.AsyncClient())
        settings = ConsoleSettings(**{f"{service}_url": f"http://127.0.0.1:{port_of(behind)}"})
        gateway = Gateway(settings, http, read_key(stack.private_key_file))
        site = Starlette(routes=[Mount("/api", systems(settings, keys, gateway))])
        await open_things.enter_async_context(serving(site, before))
        yield Door(f"http://127.0.0.1:{port_of(before)}", keys, administrator)
    await keys.dispose()


def program(name: str, folder: Path) -> Path:
    """The block of code of the guide that begins with a comment naming this file, in a file."""
    blocks = re.findall(r"^```\w+\n(# (\S+?\.\w+)\b.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
    file = folder / name
    file.write_text({called: code for code, called in blocks}[name], encoding="utf-8")
    return file
