"""What sync answers over HTTP."""

from fastapi import APIRouter

from services.sync.api import connectors, imports, mappings

router = APIRouter()
for room in (connectors, imports, mappings):
    router.include_router(room.router)
