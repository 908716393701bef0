"""What is decided of every open line, and what a client's decision consists of."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

NO_SCENARIO = "no_scenario"
VARIANT_OFF = "variant_off"
EXHAUSTED = "exhausted"
NO_STEP = "no_step"
NEVER_REMINDED = "never_reminded"
NO_STEP_REASONS = (NEVER_REMINDED, NO_SCENARIO, VARIANT_OFF, EXHAUSTED, NO_STEP)


class Due(NamedTuple):
    """The line is spoken of in this action, new or still open."""

    step: str
    action_id: UUID


class NotDue(NamedTuple):
    """The line's next step comes on ``until``."""

    step: str
    until: date


class Excluded(NamedTuple):
    """The step is due and nothing is said; all the reasons, sorted (rule 8). ``until`` is the day on which the
    last contact of the client is long enough ago, when that is one of them (rule 22.7).
    """

    step: str
    reasons: tuple[str, ...]
    until: date | None = None


class NoStep(NamedTuple):
    """No step will come as things are."""

    reason: str


Verdict = Due | NotDue | Excluded | NoStep


class PlannedEntry(NamedTuple):
    """A line of a message; levels are those before and, once carried out, after it (rules 5.3, 6.4)."""

    entry_id: str
    occurrence: int
    amount: int
    due_date: date
    level_before: int
    level_after: int
    due_on: date | None = None
    reminded_on: date | None = None


class PlannedAction(NamedTuple):
    """A message to propose or, when ``automatic``, to carry out. Amounts in ten-thousandths (rule 7.6)."""

    action_id: UUID
    step: str
    medium: str
    template: str | None
    automatic: bool
    mode: str
    currency: str
    amount: int
    net_amount: int
    book_net_amount: int
    due_since: date
    entries: tuple[PlannedEntry, ...]
    accepted_reasons: tuple[str, ...] = ()
    not_before: str | None = None
    copies: tuple[UUID, ...] = ()


class SilentMove(NamedTuple):
    """A credit that stood alone at a level and goes on without a message (rule 22.14)."""

    entry_id: str
    level_before: int
    level_after: int


class Withdrawal(NamedTuple):
    action_id: UUID
    reason: str


class Decision(NamedTuple):
    """Everything a day's look at one client gives. ``next_on`` is the first later day on which the same facts
    could give another answer; ``None`` when no day will.

    ``sleeping`` are the lines whose step comes later, or that are excluded for reasons of their own, with the day
    on which that may be otherwise: nothing but such a day or a fact of their own changes what is decided of them,
    where messages are per step (``narrow``), unless an action holds them.
    """

    profile: str
    scenario_version: int
    verdicts: dict[str, Verdict]
    actions: list[PlannedAction]
    moves: list[SilentMove]
    withdrawals: list[Withdrawal]
    next_on: date | None
    policy_version: int = 0
    sleeping: Mapping[str, date | None] = {}
