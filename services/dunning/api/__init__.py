"""Dunning over HTTP: rounds, the day's tasks, explanations, and the rules a company decides by."""

from fastapi import APIRouter

from services.dunning.api import acting, clients, explanations, levels, rounds, rules, scenarios, tasks

router = APIRouter(prefix="/companies/{company}")
for part in (rounds, tasks, acting, levels, explanations, rules, scenarios, clients):
    router.include_router(part.router)
