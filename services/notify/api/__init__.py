"""Notify over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.notify.api import messages, personal, progress, tasks, templates

router = APIRouter()
for part in (progress, messages, tasks, templates, personal):
    router.include_router(part.router)
