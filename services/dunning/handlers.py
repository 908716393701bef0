"""What dunning does on hearing the others: defaults for a new company, and what became of its actions."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Said, Say
from chassis.projection import Delivered, React
from contracts.dunning import (
    ActionWithdrawn,
    AutomaticChoice,
    AutomaticChosen,
    ClientPolicyChanged,
    ContactTakenOver,
    HistoryTakenOver,
    LevelMove,
    LevelSet,
    NoticedEntry,
    PolicyChanged,
)
from contracts.ledger import ClientMerged, ProfilesChanged
from contracts.notify import (
    CallLogged,
    EmailFailed,
    EmailSent,
    LetterPrepared,
    MessageWithheld,
    OtherContactLogged,
)
from services.dunning.actions import Standing, load_actions
from services.dunning.asking import LOCK_COMPANY
from services.dunning.defaults import delivered_policy, delivered_scenarios
from services.dunning.domain.sayings import done
from services.dunning.domain.scenario import level_name
from services.dunning.domain.state import Contact
from services.dunning.rulebook import POLICY
from services.dunning.states import load, lock
from services.dunning.thanking import THANKED_PAYMENTS

ACTOR = "system:dunning"
MERGED = "merged"
EMAIL_FAILED = "email_failed"

HAS_POLICY = text("select exists (select from policy where company = :company)")
STAGES = text(
    "select client_id, entry_id, level, reminded_on, noticed_on, next_step, automatic from entry_level"
    " where company = :company and client_id = any(cast(:clients as text[]))"
)
OWN_POLICIES = text(
    "select * from client_policy where company = :company and client_id = any(cast(:clients as text[]))"
)
CONTACTS_BEFORE = text(
    "select contacted_on, round_on from contact_before where company = :company and client_id = :client_id"
    " and from_client_id = :from_client_id order by place"
)
THANKED_BEFORE = text("select entry_id from thanked_before where company = :company and client_id = :client_id")
LEVELS = text(
    "select client_id, entry_id, level from entry_level"
    " where company = :company and client_id = any(cast(:clients as text[]))"
)


async def on_company_registered(say: Say, heard: list[Delivered]) -> None:
    """A new company begins with the delivered policy and scenarios (rule 4.13)."""
    for event in heard:
        if not await say.tx.scalar(HAS_POLICY, {"company": event.company}):
            said = [Said(delivered_policy()), *(Said(one) for one in delivered_scenarios())]
            await say(event.company, said, as_of=event.as_of, cause=event.cause(ACTOR))


async def on_profiles_changed(say: Say, heard: list[Delivered]) -> None:
    """The default profile is chosen at ledger; the policy follows it (rule 3.2)."""
    for event in heard:
        changed = event.parse()
        assert isinstance(changed, ProfilesChanged)
        await say.tx.execute(LOCK_COMPANY, {"company": event.company})
        body = await say.tx.scalar(POLICY, {"company": event.company})
        before = delivered_policy() if body is None else PolicyChanged.model_validate(body)
        if before.default_profile != changed.default_profile:
            after = before.model_copy(
                update={"version": before.version + 1, "default_profile": changed.default_profile}
            )
            await say(event.company, [Said(after)], as_of=event.as_of, cause=event.cause(ACTOR))


async def on_carried_out(say: Say, heard: list[Delivered]) -> None:
    """Levels move when a message has left, a letter was posted, a contact made (rule 5.3).

    A fact is a fact: it counts for an action that was withdrawn meanwhile too.
    """
    for company, events in _by_company(heard).items():
        standing = await _locked(say.tx, company, events)
        levels = await _levels(say.tx, company, standing)
        for event in events:
            one = standing.pop(_action_id(event), None)
            if one is None or one.status == "done":
                continue
            client = one.action.client_id
            fact = done(one.action, levels.get(client, {}), _done_on(event))
            levels.setdefault(client, {}).update({move.entry_id: move.level_after for move in fact.levels})
            await say(company, [Said(fact, client)], as_of=event.as_of, cause=event.cause())


async def on_not_carried_out(say: Say, heard: list[Delivered]) -> None:
    """The entries keep their level and come again with the next round (rules 8.17, 22.16)."""
    for company, events in _by_company(heard).items():
        standing = await _locked(say.tx, company, events)
        for event in events:
            one = standing.pop(_action_id(event), None)
            if one is None or one.status not in {"proposed", "due"}:
                continue
            heard_fact = event.parse()
            reason = heard_fact.reason if isinstance(heard_fact, MessageWithheld) else EMAIL_FAILED
            client = one.action.client_id
            fact = ActionWithdrawn(action_id=one.action.action_id, client_id=client, reason=reason)
            await say(company, [Said(fact, client)], as_of=event.as_of, cause=event.cause())


async def on_client_merged(say: Say, heard: list[Delivered]) -> None:
    """The lines of a client that was renumbered keep the levels they had reached under the old code (rule 5.9).

    So does what was chosen for them, the client's own policy, the payments that were thanked, and the contacts
    that count for the days between two of them (rule 22.24).
    """
    for event in heard:
        merged = event.parse()
        assert isinstance(merged, ClientMerged)
        into = {one.entry_id: one.into_entry_id for one in merged.entries}
        await lock(say.tx, event.company, sorted({merged.client_id, merged.into}))
        asked = {"company": event.company, "clients": [merged.client_id, merged.into]}
        stages = {(row.client_id, row.entry_id): row for row in await say.tx.execute(STAGES, asked)}
        own = {row["client_id"]: row for row in (await say.tx.execute(OWN_POLICIES, asked)).mappings()}
        carried = [
            *_carried_levels(merged, into, stages, event.as_of),
            *_carried_notices(merged, into, stages, event.as_of),
            *_carried_choices(merged, into, stages),
            *_carried_policy(merged, own),
            *await _history_taken_over(say.tx, event.company, merged, into),
        ]
        if not carried:
            continue
        said = [Said(one, merged.into) for one in carried]
        say.also_lock = {*say.also_lock, *(one.partition_in(event.company) for one in said)}
        await say(event.company, said, as_of=event.as_of, cause=event.cause())


def _carried_levels(
    merged: ClientMerged, into: Mapping[str, str], stages: Mapping[tuple[str, str], Any], on: date
) -> list[LevelSet]:
    """One per day on which levels were reached, since that day counts for the steps that follow.

    A next step that a person had chosen under the old code stays chosen (rule 5.6).
    """
    moves: dict[date, list[LevelMove]] = {}
    for entry_id, target in sorted(into.items()):
        before = stages.get((merged.client_id, entry_id))
        after = stages.get((merged.into, target))
        reached = 0 if after is None else after.level
        untouched = after is None or (after.reminded_on is None and after.next_step is None)
        forced = before is not None and before.next_step is not None and untouched
        if before is not None and (forced or (before.reminded_on is not None and before.level > reached)):
            move = LevelMove(
                entry_id=target,
                level_before=level_name(reached),
                level_after=level_name(before.level),
                next_step=before.next_step if forced else None,
                reminded_on=before.reminded_on if forced else None,
            )
            moves.setdefault(before.reminded_on or on, []).append(move)
    return [
        LevelSet(client_id=merged.into, reason=MERGED, set_on=reached_on, levels=tuple(levels))
        for reached_on, levels in sorted(moves.items())
    ]


def _carried_notices(
    merged: ClientMerged, into: Mapping[str, str], stages: Mapping[tuple[str, str], Any], on: date
) -> list[LevelSet]:
    """So that no advance notice of a line leaves a second time."""
    noticed = []
    for entry_id, target in sorted(into.items()):
        before, after = stages.get((merged.client_id, entry_id)), stages.get((merged.into, target))
        if before is not None and before.noticed_on is not None and (after is None or after.noticed_on is None):
            noticed.append(NoticedEntry(entry_id=target, noticed_on=before.noticed_on))
    if not noticed:
        return []
    return [LevelSet(client_id=merged.into, reason=MERGED, set_on=on, levels=(), noticed=tuple(noticed))]


def _carried_choices(
    merged: ClientMerged, into: Mapping[str, str], stages: Mapping[tuple[str, str], Any]
) -> list[AutomaticChosen]:
    """Whether reminders of a line may leave by themselves, where nothing was said under the new code."""
    chosen = []
    for entry_id, target in sorted(into.items()):
        before, after = stages.get((merged.client_id, entry_id)), stages.get((merged.into, target))
        if before is not None and before.automatic is not None and (after is None or after.automatic is None):
            chosen.append(AutomaticChoice(entry_id=target, automatic=before.automatic))
    return [AutomaticChosen(client_id=merged.into, entries=tuple(chosen))] if chosen else []


def _carried_policy(merged: ClientMerged, own: Mapping[str, Any]) -> list[ClientPolicyChanged]:
    """Where both codes have one, that of the code that stays counts."""
    if merged.client_id not in own or merged.into in own:
        return []
    before = {
        name: own[merged.client_id][name] for name in ClientPolicyChanged.model_fields if name != "client_id"
    }
    return [ClientPolicyChanged(client_id=merged.into, **before)]


async def _history_taken_over(
    tx: AsyncConnection, company: str, merged: ClientMerged, into: Mapping[str, str]
) -> list[HistoryTakenOver]:
    """So that nobody is thanked twice, nor written to the day after a letter to the old code."""
    known = await load(tx, company, [merged.client_id])
    old: dict[str, Any] = {"company": company, "client_id": merged.client_id}
    payments = await tx.scalars(THANKED_PAYMENTS, old)
    thanked = sorted({into[payment] for payment in payments if payment in into})
    contacts = tuple(
        ContactTakenOver(contacted_on=one.on, round_on=one.round_on)
        for one in known[merged.client_id].state.contacts
    )
    said = {"company": company, "client_id": merged.into, "from_client_id": merged.client_id}
    taken_before = [Contact(*row) for row in await tx.execute(CONTACTS_BEFORE, said)]
    thanked_before = set(await tx.scalars(THANKED_BEFORE, said))
    if thanked_before.issuperset(thanked) and taken_before == list(known[merged.client_id].state.contacts):
        return []
    taken = HistoryTakenOver(
        client_id=merged.into, from_client_id=merged.client_id, thanked=tuple(thanked), contacts=contacts
    )
    return [taken]


def _by_company(heard: Sequence[Delivered]) -> dict[str, list[Delivered]]:
    companies: dict[str, list[Delivered]] = {}
    for event in heard:
        companies.setdefault(event.company, []).append(event)
    return companies


def _done_on(event: Delivered) -> date:
    """The day of the call, where a person says it later."""
    fact = event.parse()
    said = fact.done_on if isinstance(fact, LetterPrepared | CallLogged | OtherContactLogged) else None
    return said or event.as_of


def _action_id(event: Delivered) -> UUID:
    fact = event.parse()
    assert isinstance(
        fact, EmailSent | EmailFailed | MessageWithheld | LetterPrepared | CallLogged | OtherContactLogged
    )
    return fact.action_id


async def _locked(tx: AsyncConnection, company: str, events: Sequence[Delivered]) -> dict[UUID, Standing]:
    await lock(tx, company, sorted({event.client_id for event in events if event.client_id is not None}))
    return await load_actions(tx, company, {_action_id(event) for event in events})


async def _levels(
    tx: AsyncConnection, company: str, standing: Mapping[UUID, Standing]
) -> dict[str, dict[str, str | None]]:
    clients = sorted({one.action.client_id for one in standing.values()})
    levels: dict[str, dict[str, str | None]] = {}
    for row in await tx.execute(LEVELS, {"company": company, "clients": clients}):
        levels.setdefault(row.client_id, {})[row.entry_id] = level_name(row.level)
    return levels


REACT: Mapping[str, React] = {
    "CompanyRegistered": on_company_registered,
    "ProfilesChanged": on_profiles_changed,
    "ClientMerged": on_client_merged,
    "EmailSent": on_carried_out,
    "LetterPrepared": on_carried_out,
    "CallLogged": on_carried_out,
    "OtherContactLogged": on_carried_out,
    "EmailFailed": on_not_carried_out,
    "MessageWithheld": on_not_carried_out,
}
