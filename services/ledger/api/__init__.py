"""Ledger over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.ledger.api import (
    addresses,
    commands,
    companies,
    contacts,
    debtors,
    documents,
    fields,
    labels,
    late_interest,
    merging,
    people,
    personal,
    profiles,
    questions,
    remarks,
)

router = APIRouter()
parts = (
    companies,
    people,
    labels,
    fields,
    contacts,
    addresses,
    commands,
    remarks,
    documents,
    debtors,
    merging,
    personal,
    profiles,
    late_interest,
    questions,
)
for part in parts:
    router.include_router(part.router)
