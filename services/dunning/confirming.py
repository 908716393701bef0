"""What a person does with the day's actions: confirm, withdraw, tick an excluded row back.

Clients are locked first and looked at again: what was proposed in the morning may be paid or stopped by now.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Cause, Position, Said, Say
from contracts.dunning import ActionDue, ActionWithdrawn
from services.dunning import queries
from services.dunning.actions import load_actions
from services.dunning.domain.decision import decide
from services.dunning.domain.including import tick_back
from services.dunning.domain.sayings import opening, withdrawn
from services.dunning.domain.verdicts import Decision
from services.dunning.recording import Record
from services.dunning.rulebook import Rulebook, rulebook
from services.dunning.states import Known, load, lock

WITHDRAWN_BY_PERSON = "withdrawn_by_person"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Occasion:
    """Where, on which day and by whom a command is given."""

    company: str
    as_of: date
    cause: Cause


@dataclass
class Confirmed:
    """Which actions are due now, which are not and why, and where it stands in the log."""

    confirmed: list[UUID] = field(default_factory=list)
    refused: list[tuple[UUID, str]] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)


async def confirm(
    say: Say, occasion: Occasion, action_ids: Sequence[UUID], draft_id: UUID | None = None
) -> Confirmed:
    """Make proposals due. One that no longer holds is withdrawn and refused with the reason; what takes its place
    is proposed at once.
    """
    answer = Confirmed()
    company, as_of = occasion.company, occasion.as_of
    rules = await rulebook(say.tx, company)
    wanted = list(dict.fromkeys(action_ids))
    found = await load_actions(say.tx, company, wanted)
    clients = sorted({standing.action.client_id for standing in found.values()})
    await lock(say.tx, company, clients)
    found = await load_actions(say.tx, company, wanted)
    known = await load(say.tx, company, clients)
    record = Record(company, as_of)
    said: list[Said] = []
    gone: dict[UUID, str] = {}
    for one in known.values():
        decision = decide(one.state, rules.policy, rules.scenario_of(one.state), as_of)
        gone |= {withdrawal.action_id: withdrawal.reason for withdrawal in decision.withdrawals}
        if any(withdrawal.action_id in found for withdrawal in decision.withdrawals):
            if any(planned.automatic for planned in decision.actions):
                said.extend(_withdrawals(one, decision))
            else:
                record.decided(one, decision)
    for action_id in wanted:
        standing = found.get(action_id)
        if standing is None:
            answer.refused.append((action_id, UNKNOWN))
        elif standing.status != "proposed":
            answer.refused.append((action_id, standing.status))
        elif action_id in gone:
            answer.refused.append((action_id, gone[action_id]))
        else:
            answer.confirmed.append(action_id)
            said.append(Said(ActionDue(action=standing.action, draft_id=draft_id), standing.action.client_id))
    answer.positions = await say(company, [*record.said, *said], as_of=as_of, cause=occasion.cause)
    await record.write(say.tx)
    return answer


def _withdrawals(known: Known, decision: Decision) -> list[Said]:
    """Nothing leaves by itself outside a round: the rest waits for the next one, which finds the client marked."""
    client = known.state.client_id
    return [Said(withdrawn(client, withdrawal), client) for withdrawal in decision.withdrawals]


async def withdraw(say: Say, occasion: Occasion, action_ids: Collection[UUID]) -> Confirmed:
    """Take back actions that are not done; those that leave by e-mail may have left, the last look decides."""
    answer = Confirmed()
    company = occasion.company
    found = await load_actions(say.tx, company, action_ids)
    await lock(say.tx, company, sorted({standing.action.client_id for standing in found.values()}))
    found = await load_actions(say.tx, company, action_ids)
    said = []
    for action_id in dict.fromkeys(action_ids):
        standing = found.get(action_id)
        if standing is None or standing.status not in {"proposed", "due"}:
            answer.refused.append((action_id, UNKNOWN if standing is None else standing.status))
            continue
        client = standing.action.client_id
        event = ActionWithdrawn(action_id=action_id, client_id=client, reason=WITHDRAWN_BY_PERSON)
        said.append(Said(event, client))
        answer.confirmed.append(action_id)
    answer.positions = await say(company, said, as_of=occasion.as_of, cause=occasion.cause)
    return answer


async def include(say: Say, occasion: Occasion, client_id: str, entry_ids: Sequence[str]) -> Confirmed:
    """Propose excluded entries all the same; ``confirmed`` names the new proposals.

    Raises ``EntryNotExcluded``, ``ReasonNotAcceptable``, ``CompanyUnknown``.
    """
    company, as_of = occasion.company, occasion.as_of
    rules = await rulebook(say.tx, company)
    await lock(say.tx, company, [client_id])
    known = (await load(say.tx, company, [client_id]))[client_id]
    scenario = rules.scenario_of(known.state)
    decision, planned = tick_back(known.state, rules.policy, scenario, as_of, list(dict.fromkeys(entry_ids)))
    said = [Said(opening(client_id, decision, one), client_id) for one in planned]
    positions = await say(company, said, as_of=as_of, cause=occasion.cause)
    positions += await _look_again(say, occasion, client_id, rules)
    return Confirmed(confirmed=[one.action_id for one in planned], positions=positions)


async def decided_today(tx: AsyncConnection, company: str, as_of: date) -> bool:
    """Whether the round of that day is made: then what people do is decided at once, else by the round."""
    last = await queries.last_round(tx, company)
    return last is not None and last["as_of"] == as_of and last["status"] == "completed"


async def say_decision(say: Say, occasion: Occasion, clients: Sequence[str], rules: Rulebook) -> list[Position]:
    """Decide these clients again, after something was said of them on a day that is decided already.

    Nothing leaves by itself outside a round: where something would, only withdrawals are said, and the next round
    does the rest.
    """
    company, as_of = occasion.company, occasion.as_of
    record = Record(company, as_of)
    said: list[Said] = []
    for one in (await load(say.tx, company, clients)).values():
        decision = decide(one.state, rules.policy, rules.scenario_of(one.state), as_of)
        if any(planned.automatic for planned in decision.actions):
            said.extend(_withdrawals(one, decision))
        else:
            record.decided(one, decision)
    positions = await say(company, [*record.said, *said], as_of=as_of, cause=occasion.cause)
    await record.write(say.tx)
    return positions


async def _look_again(say: Say, occasion: Occasion, client_id: str, rules: Rulebook) -> list[Position]:
    """The client's verdicts with the new actions; whatever else its round would say waits for it."""
    company, as_of = occasion.company, occasion.as_of
    known = (await load(say.tx, company, [client_id]))[client_id]
    decision = decide(known.state, rules.policy, rules.scenario_of(known.state), as_of)
    if decision.actions or decision.moves or decision.withdrawals:
        return []
    record = Record(company, as_of)
    record.decided(known, decision)
    positions = await say(company, record.said, as_of=as_of, cause=occasion.cause)
    await record.write(say.tx)
    return positions
