"""The wiring of dunning: what it hears, says, serves and does by itself."""

import asyncio
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import clock
from chassis.jobs import JobWorker
from chassis.projection import Listening
from chassis.running import Running
from chassis.service import Service
from contracts.registry import EVENTS
from services.dunning import queries, tables
from services.dunning.api import router
from services.dunning.api.scenarios import ProfileTwice
from services.dunning.asking import RoundBeforeTheLast, RoundStillRunning
from services.dunning.domain.by_hand import ByHandRefused
from services.dunning.domain.including import EntryNotExcluded, ReasonNotAcceptable
from services.dunning.domain.levels import LevelRefused
from services.dunning.domain.policy import PolicyRefused
from services.dunning.domain.scenario import ScenarioRefused
from services.dunning.handlers import REACT
from services.dunning.marking import LOOK_AT_EVERYBODY
from services.dunning.projection import PROJECT
from services.dunning.rounds import Rounds
from services.dunning.rulebook import CompanyUnknown
from services.dunning.settings import DunningSettings
from services.dunning.simulations.asking import QUEUE, PeriodRefused, ProfileWithoutScenario, SimulationsWaiting
from services.dunning.simulations.working import ATTEMPTS, Simulator

DEFAULT_TIME_ZONE = "Europe/Paris"


async def today(tx: AsyncConnection, company: str) -> date:
    """The company's own day; of one not heard of yet, the day in Paris."""
    return clock.today(await queries.time_zone(tx, company) or DEFAULT_TIME_ZONE)


def build(settings: DunningSettings) -> Service:
    async def rounds(running: Running) -> None:
        """Work on the rounds that were asked for."""
        worker = Rounds(running.engine, running.say, settings.round_chunk_entries, settings.round_lanes)
        await worker.work(settings.round_pause_seconds)

    async def simulations(running: Running) -> None:
        """Work on simulations, in processes that yield to everything else."""
        simulator = Simulator(running, settings)
        worker = JobWorker(
            running.engine,
            QUEUE,
            simulator,
            batch=1,
            concurrency=settings.simulation_processes,
            max_attempts=ATTEMPTS,
            given_up=simulator.give_up,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(simulator.tidy())
            group.create_task(running.work("simulations", worker))

    return Service(
        name="dunning",
        settings=settings,
        events=EVENTS,
        listening=Listening(
            streams=("sync", "ledger", "notify"),
            project=PROJECT,
            react=REACT,
            tables=tables.DERIVED,
            on_replaced=LOOK_AT_EVERYBODY,
            bulk={
                "EntriesSynced": "entries",
                "ClientsSynced": "clients",
                "ClientsChanged": "clients",
                "PaymentsLettered": "groups",
            },
        ),
        router=router,
        knows_clients=True,
        background={"rounds": rounds, "simulations": simulations},
        today=today,
        refusals={
            CompanyUnknown: 404,
            RoundBeforeTheLast: 409,
            RoundStillRunning: 409,
            EntryNotExcluded: 409,
            ReasonNotAcceptable: 409,
            ByHandRefused: 409,
            LevelRefused: 409,
            SimulationsWaiting: 409,
            PeriodRefused: 422,
            ProfileWithoutScenario: 422,
            ScenarioRefused: 422,
            ProfileTwice: 422,
            PolicyRefused: 422,
        },
    )
