"""What comes if nothing changes: the same decision, made again on each later day on which it could differ."""

from datetime import date
from typing import NamedTuple

from services.dunning.domain.decision import decide
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.state import ClientState, HeldEntry, OpenAction
from services.dunning.domain.verdicts import Decision, Due, PlannedAction

MOST_LOOKS = 400
"""More days on which something could change than any scenario has; beyond, nothing is foretold."""


class Coming(NamedTuple):
    """The first day on which an entry is to be reminded, and the step."""

    on: date
    step: str


def coming(client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date) -> dict[str, Coming]:
    """By entry; those that no day brings are left out. Nobody pays, says or does anything meanwhile: proposals
    wait, credits that stand alone go on (rule 22.14), accounting is read every day from tomorrow (rule 2.6).
    """
    found: dict[str, Coming] = {}
    on: date | None = as_of
    for _ in range(MOST_LOOKS):
        if on is None:
            break
        decision = decide(client, policy, scenario, on)
        for entry_id, verdict in decision.verdicts.items():
            if isinstance(verdict, Due):
                found.setdefault(entry_id, Coming(on, verdict.step))
        if len(found) == len(client.entries):
            break
        client = after(client, decision, on)
        on = decision.next_on
    return found


def after(client: ClientState, decision: Decision, on: date) -> ClientState:
    """The client once a round has recorded this decision: new proposals stand, lapsed ones are gone, credits that
    stood alone have moved; accounting is read every day from then on (rule 2.6).
    """
    client = client._replace(synced_on=date.max)
    withdrawn = {withdrawal.action_id for withdrawal in decision.withdrawals}
    if not (withdrawn or decision.actions or decision.moves):
        return client
    moved = {move.entry_id: move.level_after for move in decision.moves}
    entered = {
        entry.entry_id: (planned.step, entry.occurrence)
        for planned in decision.actions
        for entry in planned.entries
    }
    entries = []
    for entry in client.entries:
        if entry.entry_id in moved:
            entry = entry._replace(level=moved[entry.entry_id], reminded_on=on)  # noqa: PLW2901 - the same entry, later
        if entry.entry_id in entered:
            step, occurrence = entered[entry.entry_id]
            entry = entry._replace(entered={**entry.entered, step: occurrence})  # noqa: PLW2901
        entries.append(entry)
    standing = [action for action in client.open_actions if action.action_id not in withdrawn]
    return client._replace(
        entries=tuple(entries), open_actions=(*standing, *(_opened(planned, on) for planned in decision.actions))
    )


def _opened(planned: PlannedAction, on: date) -> OpenAction:
    return OpenAction(
        planned.action_id,
        planned.step,
        planned.medium,
        planned.template,
        planned.currency,
        planned.mode,
        planned.automatic,
        frozenset(planned.accepted_reasons),
        tuple(HeldEntry(one.entry_id, one.occurrence, one.amount, one.due_date) for one in planned.entries),
        on,
        copies=planned.copies,
    )
