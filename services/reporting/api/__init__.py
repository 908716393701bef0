"""Reporting over HTTP: one function per question."""

from fastapi import APIRouter

from services.reporting.api.lists import router as lists
from services.reporting.api.pages import router as pages

router = APIRouter()
router.include_router(pages)
router.include_router(lists)
