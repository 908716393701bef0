"""Reporting over HTTP: one function per question."""

from fastapi import APIRouter

from services.reporting.api.lists import router as lists
from services.reporting.api.pages import router as pages
from services.reporting.api.subscribers import router as subscribers
from services.reporting.api.webhooks import router as webhooks

router = APIRouter()
router.include_router(pages)
router.include_router(lists)
router.include_router(subscribers)
router.include_router(webhooks)
