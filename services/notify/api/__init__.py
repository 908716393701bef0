"""Notify over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.notify.api import (
    copies,
    letters,
    links,
    logo,
    messages,
    personal,
    progress,
    returns,
    sender,
    specimens,
    tasks,
    templates,
)

router = APIRouter()
for part in (
    progress,
    messages,
    tasks,
    letters,
    templates,
    specimens,
    sender,
    logo,
    personal,
    copies,
    returns,
    links,
):
    router.include_router(part.router)
