"""What sync does on hearing ledger."""

from collections.abc import Mapping

from chassis.eventlog import Delivered, Say
from chassis.projection import React
from services.sync import samples


async def on_person_erased(say: Say, heard: list[Delivered]) -> None:
    """A file that was sent to be looked at may name the person."""
    for company in sorted({event.company for event in heard}):
        await samples.forget(say.tx, company)


REACT: Mapping[str, React] = {"PersonErased": on_person_erased}
