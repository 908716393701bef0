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
    objectives,
    people,
    person_files,
    personal,
    profiles,
    questions,
    remarks,
    retention,
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
    person_files,
    profiles,
    late_interest,
    objectives,
    questions,
    retention,
)
for part in parts:
    router.include_router(part.router)
