"""Ledger over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.ledger.api import commands, companies, labels, people, questions

router = APIRouter()
for part in (companies, people, labels, commands, questions):
    router.include_router(part.router)
