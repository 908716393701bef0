"""Notify over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.notify.api import copies, letters, logo, messages, personal, progress, returns, tasks, templates

router = APIRouter()
for part in (progress, messages, tasks, letters, templates, logo, personal, copies, returns):
    router.include_router(part.router)
