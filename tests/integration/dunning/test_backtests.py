"""The past of a company read from the streams and decided anew, on a real NATS."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from uuid import UUID

import nats
import pytest

from chassis.delivered import Delivered
from chassis.embedded import Stack
from chassis.envelope import headers
from chassis.provision import provision
from contracts import dunning, ledger, sync
from contracts.event import Event
from contracts.subjects import partition_of, stream, subject
from tests.integration.dunning.house import House, client_changed, entry_id, line
from tests.integration.dunning.test_simulations import simulated

RUN = UUID(int=3)
SPEAKERS = ("sync", "ledger", "dunning")


@pytest.fixture(autouse=True)
async def streams_of_their_own(stack: Stack) -> AsyncIterator[None]:
    """What is put into the streams here stands in no log: left there, no relay would go on after it."""
    yield
    bus = await nats.connect(stack.nats_url("admin"))
    for speaker in SPEAKERS:
        await bus.jetstream().delete_stream(stream(speaker))
    await bus.close()
    await provision(stack.nats_url("admin"), SPEAKERS)


class Past:
    """Puts events into the streams, numbered, as relays do."""

    def __init__(self, stack: Stack, house: House) -> None:
        self.stack = stack
        self.house = house
        self.events: list[Delivered] = []

    def said(self, as_of: str, event: Event, client_id: str | None, about: str | None = None) -> None:
        """``about`` names a client whose partition a bulk event goes to."""
        company = self.house.company
        p = partition_of(company, about or client_id)
        number = 1 + sum(one.speaker == event.speaker and one.partition == p for one in self.events)
        on = date.fromisoformat(as_of)
        made = Delivered.of(event, company=company, client_id=client_id, as_of=on, number=number, partition=p)
        self.events.append(made)

    def booked(self, as_of: str, client_id: str, *lines: sync.SyncedEntry) -> None:
        self.said(as_of, sync.EntriesSynced(run_id=RUN, source="fec", entries=lines), None, client_id)

    async def relayed(self) -> None:
        self.house.process.settings.nats_url = self.stack.nats_url("dunning")
        for speaker in SPEAKERS:
            bus = await nats.connect(self.stack.nats_url(speaker))
            for one in self.events:
                if one.speaker == speaker:
                    where = subject(speaker, one.company, one.partition, one.type)
                    await bus.jetstream().publish(where, one.body, headers=headers(one))
            await bus.close()


def completed(as_of: str) -> sync.SyncCompleted:
    return sync.SyncCompleted(
        run_id=RUN,
        connector="fec",
        source="fec",
        completed_at=f"{as_of}T08:00:00Z",
        entries_read=1,
        changed=1,
        archived=0,
        positions={},
    )


async def test_facts_count_from_the_day_they_came(stack: Stack, house: House) -> None:
    past = Past(stack, house)
    past.said("2025-01-01", client_changed("C1"), "C1")
    past.booked("2025-01-01", "C1", line("C1", "F0", 100, "2025-06-30"))
    past.said("2025-01-01", completed("2025-01-01"), None)
    past.booked("2025-03-01", "C1", line("C1", "F1", 1000, "2025-03-10"))
    past.said("2025-03-15", ledger.ClientStopped(client_id="C1"), "C1")
    past.said("2025-03-20", ledger.ClientResumed(client_id="C1"), "C1")
    settled = {"lettering": "A", "lettered_on": "2025-04-03"}
    past.booked(
        "2025-04-03",
        "C1",
        line("C1", "F1", 1000, "2025-03-10", **settled),
        line("C1", "P1", -1000, "2025-04-03", **settled),
    )
    await past.relayed()
    state = await simulated(house, **{"from": "2025-03-02", "to": "2025-03-17"})
    assert state["status"] == "completed"
    assert [(one["on"], one["step"]) for one in state["result"]["calendar"]] == [("2025-03-02", "notice")]
    state = await simulated(house, **{"from": "2025-03-11", "to": "2025-03-18"})
    assert state["result"]["calendar"] == [], "stopped until the 20th"


async def test_the_first_delivery_is_lived_by_its_own_dates(stack: Stack, house: House) -> None:
    """And drafts are compared over the past as well."""
    past = Past(stack, house)
    past.said("2025-03-10", client_changed("C1"), "C1")
    settled = {"lettering": "A", "lettered_on": "2024-11-20", "entry_date": "2024-10-01"}
    past.booked(
        "2025-03-10",
        "C1",
        line("C1", "F1", 500, "2024-11-01", **settled),
        line("C1", "P1", -500, "2024-11-20", **{**settled, "entry_date": "2024-11-20"}),
    )
    past.said("2025-03-10", completed("2025-03-10"), None)
    await past.relayed()
    r1 = {"step": "R1", "medium": "letter", "delay_days": 3, "template": "R1"}
    draft = {"profile": "Standard", "with_email": [r1], "without_email": [r1]}
    state = await simulated(house, **{"from": "2024-10-01", "to": "2025-01-31", "scenarios": [draft]})
    told = [(one["on"], one["step"], one["medium"]) for one in state["result"]["calendar"]]
    current = [(one["on"], one["step"], one["medium"]) for one in state["result"]["current_calendar"]]
    assert told == [("2024-11-04", "R1", "letter")]
    assert current == [
        ("2024-10-24", "notice", "email"),
        ("2024-11-09", "R1", "email"),
        ("2024-11-17", "R2", "phone"),
    ]
    assert state["result"]["differences"]["fewer"] == 1
    assert state["result"]["differences"]["earlier"] == 1
    assert Decimal(state["result"]["totals"]["amount"]) == 500


async def test_what_was_really_done_is_told_beside_it(stack: Stack, house: House) -> None:
    past = Past(stack, house)
    past.said("2025-01-01", client_changed("C1"), "C1")
    past.booked("2025-03-01", "C1", line("C1", "F1", 1000, "2025-03-10"))
    moved = dunning.LevelMove(entry_id=entry_id("F1"), level_before=None, level_after="R1")
    done = {"action_id": RUN, "client_id": "C1", "step": "R1", "medium": "email", "levels": (moved,)}
    past.said("2025-03-16", dunning.ActionDone(done_on=date(2025, 3, 16), **done), "C1")
    await past.relayed()
    state = await simulated(house, **{"from": "2025-03-01", "to": "2025-03-18"})
    assert [(one["on"], one["step"]) for one in state["result"]["calendar"]] == [
        ("2025-03-02", "notice"),
        ("2025-03-18", "R1"),
    ]
    assert state["result"]["really"] == [{"on": "2025-03-16", "step": "R1", "medium": "email", "contacts": 1}]
    assert state["assumptions"] == ["done_same_day", "facts_as_they_came"]
