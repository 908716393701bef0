"""Notify over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.notify.api import copies, letters, logo, messages, personal, progress, tasks, templates

router = APIRouter()
for part in (progress, messages, tasks, letters, templates, logo, personal, copies):
    router.include_router(part.router)
