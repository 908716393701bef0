"""Notify over HTTP: one function per command or question."""

from fastapi import APIRouter

from services.notify.api import (
    archive,
    attachments,
    cash_report,
    collection,
    consents,
    copies,
    dkim,
    letters,
    links,
    logo,
    mail_authorization,
    mail_server,
    mailbox,
    messages,
    online_payment,
    payments,
    person_files,
    personal,
    progress,
    retention,
    returns,
    sender,
    specimens,
    tasks,
    templates,
)

router = APIRouter()
PARTS = (
    progress,
    messages,
    attachments,
    tasks,
    letters,
    templates,
    specimens,
    sender,
    logo,
    personal,
    person_files,
    copies,
    returns,
    links,
    mail_server,
    mail_authorization,
    mailbox,
    consents,
    dkim,
    payments,
    online_payment,
    archive,
    collection,
    cash_report,
    retention,
)
for part in PARTS:
    router.include_router(part.router)
