"""What sync answers over HTTP."""

from fastapi import APIRouter

from services.sync.api import imports, mappings

router = APIRouter()
for room in (imports, mappings):
    router.include_router(room.router)
