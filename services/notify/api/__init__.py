"""Notify over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.notify.api import copies, messages, personal, progress, tasks, templates

router = APIRouter()
for part in (progress, messages, tasks, templates, personal, copies):
    router.include_router(part.router)
