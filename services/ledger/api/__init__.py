"""Ledger over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.ledger.api import (
    commands,
    companies,
    contacts,
    fields,
    labels,
    merging,
    people,
    personal,
    questions,
    remarks,
)

router = APIRouter()
for part in (companies, people, labels, fields, contacts, commands, remarks, merging, personal, questions):
    router.include_router(part.router)
