"""Asking for the round of a company and day: once, in order, and only when the one before has ended."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Cause
from chassis.waking import wake
from contracts.subjects import PARTITIONS
from services.dunning.rulebook import rulebook

ASKED = "rounds"
"""What a round that is asked for wakes."""
LAST_ROUND = text("select as_of, status, settings from round where company = :company order by as_of desc limit 1")
LOCK_COMPANY = text("select from policy where company = :company for update")
OPEN_ROUND = text(
    "insert into round (company, as_of, status, whole, settings, actor, correlation_id, traceparent)"
    " values (:company, :as_of, 'running', :whole, :settings, :actor, :correlation_id, :traceparent)"
)
OPEN_PARTITIONS = text(
    "insert into round_partition (company, as_of, p) select :company, :as_of, p"
    " from generate_series(0, :partitions - 1) p"
)


class RoundBeforeTheLast(Exception):
    """A round of a later day was made: going back would decide on what was not known then."""

    def __init__(self, as_of: date, last: date) -> None:
        super().__init__(f"The last round is that of {last}; none can be made for {as_of} any more.")
        self.as_of = as_of
        self.last = last


class RoundStillRunning(Exception):
    """The round of an earlier day must end first."""

    def __init__(self, as_of: date) -> None:
        super().__init__(f"The round of {as_of} is still running.")
        self.as_of = as_of


async def open_round(tx: AsyncConnection, company: str, as_of: date, cause: Cause) -> bool:
    """Ask for the round of a day; False when it was asked for already, which changes nothing.

    Raises ``CompanyUnknown``, ``RoundBeforeTheLast``, ``RoundStillRunning``.
    """
    rules = await rulebook(tx, company)
    await tx.execute(LOCK_COMPANY, {"company": company})
    last = (await tx.execute(LAST_ROUND, {"company": company})).one_or_none()
    if last is not None and last.as_of == as_of:
        return False
    if last is not None and last.as_of > as_of:
        raise RoundBeforeTheLast(as_of, last.as_of)
    if last is not None and last.status == "running":
        raise RoundStillRunning(last.as_of)
    key = {"company": company, "as_of": as_of}
    await tx.execute(
        OPEN_ROUND,
        {
            **key,
            "whole": last is None or last.settings != rules.mark,
            "settings": rules.mark,
            "actor": cause.actor,
            "correlation_id": cause.correlation_id,
            "traceparent": cause.traceparent,
        },
    )
    await tx.execute(OPEN_PARTITIONS, {**key, "partitions": PARTITIONS})
    wake(ASKED)
    return True
