"""What all requests of other systems share."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from services.console.gateway import Gateway
from services.console.pace import Pace
from services.console.settings import ConsoleSettings
from services.console.systems.crowding import Crowd


@dataclass
class Systems:
    settings: ConsoleSettings
    engine: AsyncEngine
    gateway: Gateway
    pace: Pace
    crowd: Crowd


def shared_by(request: Request) -> Systems:
    shared: Systems = request.app.state.systems
    return shared


SystemsDep = Annotated[Systems, Depends(shared_by)]
