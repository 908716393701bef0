"""Dunning over HTTP: rounds, the day's tasks, explanations, the rules a company decides by, simulations."""

from fastapi import APIRouter

from services.dunning.api import (
    acting,
    clients,
    criteria,
    explanations,
    levels,
    rounds,
    rules,
    scenarios,
    simulations,
    tasks,
)

router = APIRouter(prefix="/companies/{company}")
for part in (rounds, tasks, acting, criteria, levels, explanations, rules, scenarios, clients, simulations):
    router.include_router(part.router)
