"""What sync answers over HTTP."""

from fastapi import APIRouter

from services.sync.api import connectors, imports, inlets, mappings, rows

router = APIRouter()
for room in (imports, mappings, rows, inlets, connectors):
    router.include_router(room.router)
