"""What every command needs: the client locked, the facts decided, the events said, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from chassis.eventlog import Position, Said
from chassis.http import AsOfDep, CauseDep, CompanyDep, SayDep
from contracts.event import ClientId, EntryId, Event
from services.ledger import queries
from services.ledger.documents.keeping import documents_of
from services.ledger.domain import AttachDocument, Command, decide, evolve
from services.ledger.domain.refusals import UnknownClient
from services.ledger.together import together

ADD_TEXT = text("insert into note_text (company, note_id, text) values (:company, :note_id, :text)")


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OfClient(Body):
    client_id: ClientId


class OfEntry(OfClient):
    entry_id: EntryId


class Stating:
    """One request: the company, the day, who asks, the transaction."""

    def __init__(self, company: CompanyDep, as_of: AsOfDep, say: SayDep, cause: CauseDep) -> None:
        self.company, self.as_of, self.say, self.cause = company, as_of, say, cause
        self.tx = say.tx

    async def state(self, client_id: str, *facts: Command, entry_ids: Sequence[str] = ()) -> list[Position]:
        """Lock the client, decide one fact after the other, say it all. One refused refuses the whole.

        ``entry_ids`` are those that the facts speak of. Raises ``UnknownClient`` or the domain's refusal.
        """
        said = await self._decided(client_id, facts, entry_ids)
        return await self.say(self.company, said, as_of=self.as_of, cause=self.cause)

    async def state_of_many(self, facts: Mapping[str, Sequence[Command]]) -> list[Position]:
        """As ``state`` for several clients, all or none."""
        await queries.lock_clients(self.tx, self.company, sorted(facts))
        said = [one for client_id in sorted(facts) for one in await self._decided(client_id, facts[client_id])]
        return await self.say(self.company, together(self.company, said), as_of=self.as_of, cause=self.cause)

    async def _decided(
        self, client_id: str, facts: Sequence[Command], entry_ids: Sequence[str] = ()
    ) -> list[Said]:
        company = self.company
        states = await queries.lock_clients(self.tx, company, [client_id])
        if client_id not in states:
            raise UnknownClient(client_id)
        promises = await queries.promises(self.tx, company, [client_id])
        stops = await queries.stopped_entries(self.tx, company, [client_id])
        documents = await documents_of(self.tx, company, [client_id])
        spoken_of = [*entry_ids, *(fact.document.entry_id for fact in facts if isinstance(fact, AttachDocument))]
        entries = await queries.entries(self.tx, company, [client_id], spoken_of) if spoken_of else {}
        state = replace(
            states[client_id],
            promises=promises.get(client_id, {}),
            stopped_entries=stops.get(client_id, {}),
            disputes=await queries.disputes(self.tx, company, client_id),
            documents=documents.get(client_id, {}),
            expected_on=await queries.expectations(self.tx, company, client_id),
            entries=entries.get(client_id, {}),
        )
        said: list[Event] = []
        for fact in facts:
            events = decide(state, fact, self.as_of)
            for event in events:
                state = evolve(state, event)
            said += events
        return [Said(event, client_id) for event in said]

    async def keep_text(self, note_id: UUID, text: str) -> None:
        """The words of a note, which no event carries."""
        await self.tx.execute(ADD_TEXT, {"company": self.company, "note_id": note_id, "text": text})


StatingDep = Annotated[Stating, Depends(Stating)]
