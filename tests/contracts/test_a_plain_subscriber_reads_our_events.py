"""A process that knows only the AsyncAPI document reads what we say, through a real log, relay and stream."""

import asyncio
import json
import sys
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

from chassis.database import engine, transaction
from chassis.embedded import Stack
from chassis.embedded_config import NATS_READER
from chassis.eventlog import Cause, Said, append
from chassis.relay import Relay
from cli.contract_files import ASYNCAPI
from contracts.dunning import Action, ActionDue, ActionEntry

SUBSCRIBER = Path(__file__).with_name("plain_subscriber.py")
CLIENT = "411 Émile & fils / 100 %"


def reminder() -> ActionDue:
    entry = ActionEntry(
        entry_id="0" * 32, occurrence=1, amount=Decimal("1250.40"), due_date=date(2026, 3, 1), level_before=None
    )
    return ActionDue(
        action=Action(
            action_id=uuid4(),
            client_id=CLIENT,
            profile="Standard",
            scenario_version=1,
            kind="reminder",
            step="R1",
            medium="email",
            currency="EUR",
            amount=Decimal("1250.40"),
            net_amount=Decimal("1250.40"),
            book_net_amount=Decimal("1250.40"),
            due_since=date(2026, 3, 11),
            entries=(entry,),
        )
    )


async def test_action_due_as_outsiders_hear_it(stack: Stack, company: str) -> None:
    said = [reminder() for _ in range(3)]
    log = engine(stack.database_url("dunning", "worker"), "dunning")
    async with transaction(log) as tx:
        await append(
            tx,
            "dunning",
            company,
            [Said(event, CLIENT) for event in said],
            as_of=date(2026, 3, 17),
            cause=Cause.new("user:7"),
        )
    relaying = asyncio.create_task(Relay("dunning", log, stack.nats_url("dunning")).run())
    try:
        subscriber = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            str(SUBSCRIBER),
            str(ASYNCAPI),
            stack.nats_url(NATS_READER),
            "ActionDue",
            company,
            str(len(said)),
            stdout=asyncio.subprocess.PIPE,
            cwd="/",
            env={},
        )
        output, _ = await asyncio.wait_for(subscriber.communicate(), 60)
    finally:
        relaying.cancel()
        with suppress(asyncio.CancelledError):
            await relaying
        await log.dispose()
    heard = [json.loads(line) for line in output.splitlines()]
    assert [one["data"]["action"]["action_id"] for one in heard] == [str(event.action.action_id) for event in said]
    assert {one["type"] for one in heard} == {"relance.dunning.ActionDue.v1"}
    assert {one["subject"] for one in heard} == {CLIENT}
