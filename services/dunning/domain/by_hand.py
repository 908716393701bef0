"""Actions that a person composes, of entries of their choice, whatever the scenario says (rules 5.5, 8.16, 9)."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from contracts import dunning
from services.dunning.domain import by_criteria, exclusions
from services.dunning.domain.amounts import decimal
from services.dunning.domain.exclusions import NET_NOT_POSITIVE, entry_reasons, stop_is_over, together
from services.dunning.domain.identity import by_hand_id
from services.dunning.domain.levels import choices, level_before, plan_of
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import NOTICE, Plan, Scenario, level_name
from services.dunning.domain.state import ClientState, EntryState
from services.dunning.domain.triggers import pending_reminder

REMINDER = "reminder"
THANKS = "thanks"
KINDS = (NOTICE, REMINDER, THANKS)
WRITTEN = ("email", "letter")
FIRST = "R1"


class ByHandRefused(Exception):
    """What a person composed cannot be done; each kind is a fact of its own."""


class EntriesUnknown(ByHandRefused):
    """Some of the entries are not there, or settled; a thank-you alone speaks of settled ones."""

    def __init__(self, entry_ids: Sequence[str]) -> None:
        super().__init__("Some entries are settled or not known.")
        self.entry_ids = list(entry_ids)


class CurrenciesDiffer(ByHandRefused):
    """One message speaks of one currency (rule 19.3)."""

    def __init__(self, currencies: Sequence[str]) -> None:
        super().__init__("One message speaks of one currency.")
        self.currencies = list(currencies)


class NothingToAsk(ByHandRefused):
    """The credits eat up the debits: a message that asks for nothing is not written (rule 22.10)."""

    def __init__(self) -> None:
        super().__init__("Nothing is left to ask for.")


class ReasonsNotAccepted(ByHandRefused):
    """Something speaks against it that the person did not see, or that no person may set aside."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("Something speaks against this action.")
        self.reasons = list(reasons)


class Composed(NamedTuple):
    """What a person wants. ``request_id`` names this wish: asked twice, it is done once."""

    request_id: UUID
    entries: tuple[EntryState, ...]
    kind: str
    medium: str
    template: str | None = None
    counts: bool = True
    next_step: str | None = None
    by_criteria: bool = False
    """Chosen with others by criteria: all that would keep it from being proposed there is told (rule 9.8)."""


class Plans(NamedTuple):
    """The action as it would be said, everything that speaks against it, and the steps that may be chosen next."""

    action: dunning.Action
    reasons: tuple[str, ...]
    choices: tuple[str, ...]


def compose(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, composed: Composed
) -> Plans:
    """The action of these entries. A notice or a thank-you moves no level (rule 5.4); without a scenario that
    applies nothing does (rule 3.6). A thank-you that counts has its payments thanked (rule 12.2).

    Raises ``CurrenciesDiffer``, ``NothingToAsk``, ``LevelRefused``.
    """
    currencies = sorted({entry.currency for entry in composed.entries})
    if len(currencies) != 1:
        raise CurrenciesDiffer(currencies)
    plan = None if scenario is None else scenario.plan(client.has_email)
    net = sum(entry.amount for entry in composed.entries)
    if net <= 0 and composed.kind != THANKS and composed.medium in WRITTEN:
        raise NothingToAsk
    counts = composed.counts and (composed.kind == THANKS or plan is not None)
    forced: int | None = None
    if composed.next_step is not None and counts and composed.kind == REMINDER:
        forced = level_before(plan_of(scenario, client.has_email), composed.next_step)
    if composed.by_criteria:
        reasons = by_criteria.against(client, policy, scenario, as_of, composed.medium, composed.entries)
    else:
        reasons = _reasons(client, policy, composed, as_of)
    step = _step(composed, plan, as_of)
    entries = tuple(
        dunning.ActionEntry(
            entry_id=entry.entry_id,
            occurrence=entry.entered.get(step, 0) + 1,
            amount=decimal(entry.amount),
            due_date=entry.due_date,
            level_before=level_name(entry.level),
            level_after=level_name(_level_after(entry, plan, as_of, composed.kind, forced, counts=counts)),
        )
        for entry in sorted(composed.entries, key=lambda entry: (entry.due_date, entry.entry_id))
    )
    action = dunning.Action(
        action_id=by_hand_id(client.company, client.client_id, composed.request_id),
        client_id=client.client_id,
        profile=client.profile or policy.default_profile,
        scenario_version=0 if scenario is None else scenario.version,
        kind=composed.kind,
        step=step,
        medium=composed.medium,
        template=composed.template,
        currency=currencies[0],
        amount=decimal(sum(max(entry.amount, 0) for entry in composed.entries)),
        net_amount=decimal(net),
        book_net_amount=decimal(sum(entry.book_amount for entry in composed.entries)),
        due_since=as_of,
        entries=entries,
        mode=policy.mode,
        accepted_reasons=reasons,
        by_hand=True,
        counts=counts,
        next_step=None if forced is None else composed.next_step,
    )
    return Plans(action, reasons, choices(scenario, client.has_email))


def never_acceptable(reasons: Sequence[str], composed: Composed) -> list[str]:
    """Those that no person may set aside: a paid invoice must never be chased. A call may be about it."""
    if composed.by_criteria:
        return sorted(by_criteria.NEVER_ACCEPTED.intersection(reasons))
    if composed.kind == THANKS or composed.medium not in WRITTEN:
        return []
    return sorted(exclusions.NEVER_ACCEPTED.intersection(reasons) - {NET_NOT_POSITIVE})


def _reasons(client: ClientState, policy: Policy, composed: Composed, as_of: date) -> tuple[str, ...]:
    """What would hold these entries back in a scenario: the person is warned, and decides (rule 8.16)."""
    stop: tuple[str, ...] = ()
    if client.stopped and not stop_is_over(client.resumes_on, as_of):
        stop = (exclusions.CLIENT_STOPPED,)
    of_entries = (entry_reasons(entry, client, policy, as_of) for entry in composed.entries)
    return together(stop, *of_entries) if composed.kind != THANKS else together(stop)


def _step(composed: Composed, plan: Plan | None, as_of: date) -> str:
    """What the action is called: the highest step that its entries come to, or stand at where none follows."""
    if composed.kind != REMINDER:
        return composed.kind
    levels = [_following(entry, plan, as_of) or entry.level for entry in composed.entries if entry.amount > 0]
    return level_name(max(levels, default=1)) or FIRST


def _following(entry: EntryState, plan: Plan | None, as_of: date) -> int:
    found = None if plan is None else pending_reminder(entry, plan, as_of)
    return 0 if found is None else found.step.level


def _level_after(  # noqa: PLR0913 - what a level follows from
    entry: EntryState, plan: Plan | None, as_of: date, kind: str, forced: int | None, *, counts: bool
) -> int:
    if kind != REMINDER or not counts:
        return entry.level
    if forced is not None:
        return forced
    return max(entry.level, _following(entry, plan, as_of))
