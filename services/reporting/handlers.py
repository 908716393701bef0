"""What reporting does on hearing ledger: fetch names that changed, forget people who were erased."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from chassis.eventlog import Delivered, Say
from chassis.jobs import NewJob, enqueue
from chassis.projection import React
from contracts.ledger import ClientChanged, ClientsChanged, PersonErased
from services.reporting.people import QUEUE, erase

NAMES = UUID("5b7c8e0a-2f5e-4a39-9a52-0d5a3c1f7e11")
"""Namespace of the jobs' ids: a job is named by the first client it speaks of, and the event that spoke of it."""


def name_jobs(events: Sequence[Delivered], per_job: int) -> list[NewJob]:
    """Jobs that fetch the names of these clients, by company and in bulk."""
    changed: dict[str, dict[str, UUID]] = {}
    for event in events:
        said = event.parse()
        assert isinstance(said, ClientChanged | ClientsChanged)
        for client in said.clients if isinstance(said, ClientsChanged) else (said,):
            if not client.removed:
                changed.setdefault(event.company, {})[client.client_id] = event.event_id
    jobs = []
    for company, clients in changed.items():
        ids = list(clients)
        for start in range(0, len(ids), per_job):
            chunk = ids[start : start + per_job]
            job_id = uuid5(NAMES, f"{clients[chunk[0]]}/{chunk[0]}")
            jobs.append(NewJob(job_id, company, {"client_ids": chunk}))
    return jobs


def reactions(names_per_job: int) -> dict[str, React]:
    """By event class name."""

    async def on_client_changed(say: Say, events: list[Delivered]) -> None:
        await enqueue(say.tx, QUEUE, name_jobs(events, names_per_job))

    async def on_person_erased(say: Say, events: list[Delivered]) -> None:
        erased = []
        for event in events:
            person = event.parse()
            assert isinstance(person, PersonErased)
            erased.append((event.company, person.client_id, person.version))
        await erase(say.tx, erased)

    return {
        "ClientChanged": on_client_changed,
        "ClientsChanged": on_client_changed,
        "PersonErased": on_person_erased,
    }
