"""What dunning says: every reminder it decides, and every non-reminder with its reasons."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from contracts.event import Amount, ClientId, Currency, EntryId, Event, Fact


class SendingCalendar(Fact):
    """On which days, and from which hour, a company reminds at all (rule 4.16).

    ``weekdays`` are 1 for Monday to 7 for Sunday; ``month_days`` are days of the month, 31 standing for the last
    one of any month; an empty list is every day. ``skip_holidays`` leaves out the public holidays of the company's
    country. ``not_before`` is the local time, ``HH:MM``, at which what leaves by itself may leave. In a step,
    ``None`` is as the company has it.
    """

    weekdays: tuple[int, ...] | None = None
    month_days: tuple[int, ...] | None = None
    skip_holidays: bool | None = None
    not_before: str | None = None


class PortableStep(Fact):
    """What a step of a scenario is in any company (rules 4.4 to 4.12).

    ``step`` is ``notice``, ``R1`` to ``R7`` or ``thanks``; ``medium`` is ``email``, ``letter``, ``phone`` or
    ``other``; ``counted_from`` is ``due_date``, ``invoice_date``, ``previous_step`` or, for the thank-you alone,
    ``payment_date``; ``delay_days`` counts days after it (before the due date for a notice). With
    ``from_end_of_month`` that date is first moved to the end of its month; with ``end_of_month`` the day found is.
    ``mode`` is ``manual`` or ``automatic``. ``calendar`` says what the step has otherwise than the company.
    """

    step: str
    medium: str
    delay_days: int
    counted_from: str = "due_date"
    mode: str = "manual"
    template: str | None = None
    ignorable: bool = False
    enabled: bool = True
    end_of_month: bool = False
    from_end_of_month: bool = False
    calendar: SendingCalendar | None = None


class ScenarioStep(PortableStep):
    """One step of a scenario, in order. ``copies`` are rows of notify's address book: the addresses themselves
    stay there (rule 4.14).
    """

    copies: tuple[UUID, ...] = ()


class ScenarioPublished(Event):
    """The scenario of a profile, whole: its variant for clients with an e-mail address and the one without.

    A variant that is switched off keeps its steps (rule 4.1). ``thanks_since`` is the day on which the thank-you
    was switched on: only payments dated after it are thanked (rule 12.3).
    """

    speaker: ClassVar[str] = "dunning"
    profile: str
    version: int
    with_email: tuple[ScenarioStep, ...]
    without_email: tuple[ScenarioStep, ...]
    with_email_enabled: bool = True
    without_email_enabled: bool = True
    thanks_since: date | None = None


class PolicyChanged(Event):
    """The company's whole policy. Thresholds compare bookkeeping amounts (rules 8.4, 8.8, 22.17).

    ``automatic_from`` is the invoice date from which steps may leave by themselves; none while they may not (rule
    22.13). ``stale_after_days`` is how old the last synchronisation may be for that (rule 2.6).
    ``contact_gap_days`` lie between two contacts of one client (rule 22.7). Nothing is late for reminding during
    ``tolerance_days`` after the due date, nor while a client's late total is at most ``tolerance_amount`` (rule
    22.26).
    """

    speaker: ClassVar[str] = "dunning"
    version: int
    mode: str = "item"
    netting: str = "same_level"
    default_profile: str = "Standard"
    minimum_per_entry: Amount | None = None
    minimum_per_reminder: Amount | None = None
    maximum_per_reminder: Amount | None = None
    promises_exclude: bool = False
    automatic_payment_modes: tuple[str, ...] = ()
    disputes_exclude: bool = False
    calendar: SendingCalendar = SendingCalendar()
    creditors_hidden: bool = False
    upcoming_credits_excluded: bool = False
    contact_gap_days: int = 0
    automatic_from: date | None = None
    stale_after_days: int = 1
    tolerance_days: int = 0
    tolerance_amount: Amount | None = None


class ClientPolicyChanged(Event):
    """What holds for one client instead of the company's policy, whole; nothing given means nothing of its own.

    ``profile`` names the profile whose scenario applies to it. A client that is ``never`` reminded is not proposed
    at all (rule 22.27).
    """

    speaker: ClassVar[str] = "dunning"
    client_id: ClientId
    profile: str | None = None
    never: bool = False
    tolerance_days: int | None = None
    tolerance_amount: Amount | None = None


class AutomaticChoice(Fact):
    """``automatic`` is true for opted in, false for opted out, ``None`` for what the company's policy says."""

    entry_id: EntryId
    automatic: bool | None


class AutomaticChosen(Event):
    """A person said of entries of a client whether their reminders may leave by themselves (rule 22.13)."""

    speaker: ClassVar[str] = "dunning"
    client_id: ClientId
    entries: tuple[AutomaticChoice, ...]


class ContactTakenOver(Fact):
    """The last day of contacts that one round led to; ``round_on`` is none for what a person did by hand."""

    contacted_on: date
    round_on: date | None = None


class HistoryTakenOver(Event):
    """What was done under a code that was merged counts for the client that stays (rule 22.24).

    ``thanked`` are payments that were thanked, by what they are called now. ``contacts`` are the last ones, latest
    first, for the days between two of them (rule 22.7). Said again when more is known, it replaces the contacts
    and adds the payments.
    """

    speaker: ClassVar[str] = "dunning"
    client_id: ClientId
    from_client_id: ClientId
    thanked: tuple[EntryId, ...] = ()
    contacts: tuple[ContactTakenOver, ...] = ()


class ActionEntry(Fact):
    """One line of a message. ``amount`` is debit minus credit in the action's currency.

    ``level_after`` is the level it reaches once the action is carried out. ``due_on`` is the day on which its own
    step was due and ``reminded_on`` that of its last reminder, as they were when the action was decided: with the
    scenario of that version they tell why, and nothing need be decided again. A confirmation leaves them out: the
    proposal said them.
    """

    entry_id: EntryId
    occurrence: int
    amount: Amount
    due_date: date
    level_before: str | None = None
    level_after: str | None = None
    due_on: date | None = None
    reminded_on: date | None = None


class Action(Fact):
    """One message or contact: client x step x currency, with every entry it speaks of (rule 22.12).

    ``amount`` is the sum of the debits, ``net_amount`` what is left after the credits (rule 7.6). ``mode`` is the
    grouping it was decided in, ``item`` or ``account`` (rule 6). ``accepted_reasons`` are the exclusions that a
    person overrode by ticking the row back (rule 8.15): the last look lets those pass. A thank-you holds the
    payments and what they settle; its net amounts are what was paid. ``copies`` are rows of notify's address book
    (rule 4.14).

    ``by_hand`` is an action that a person composed for entries of their choice (rules 9.1 to 9.3). Then ``counts``
    says whether the scenario takes it into account, and ``next_step`` is the step that the person wants to follow,
    ``None`` for the one that follows by itself (rule 5.5).
    """

    action_id: UUID
    client_id: ClientId
    profile: str
    scenario_version: int
    kind: str
    """``notice``, ``reminder`` or ``thanks``."""
    step: str
    medium: str
    template: str | None = None
    currency: Currency
    amount: Amount
    net_amount: Amount
    book_net_amount: Amount
    due_since: date
    """The first day on which the oldest of its entries was due for this step (rule 4.12)."""
    entries: tuple[ActionEntry, ...]
    mode: str = "item"
    accepted_reasons: tuple[str, ...] = ()
    by_hand: bool = False
    counts: bool = True
    next_step: str | None = None
    copies: tuple[UUID, ...] = ()
    policy_version: int | None = None
    """Of the company's policy that it was decided by; left out where a person composed or confirmed it."""


class ActionProposed(Event):
    """The action waits for a person to confirm it."""

    speaker: ClassVar[str] = "dunning"
    action: Action


class ActionDue(Event):
    """The action is to be carried out: decided automatically, or confirmed by the actor of this event.

    ``draft_id`` names a draft that a person edited at notify. ``not_before`` is the time of day, ``HH:MM`` in the
    company's time zone, that an automatic message waits for (rule 4.16).
    """

    speaker: ClassVar[str] = "dunning"
    action: Action
    draft_id: UUID | None = None
    not_before: str | None = None


class ExcludedEntry(Fact):
    """An entry that is due for a step and is not reminded. ``reasons`` holds all of them, sorted.

    ``until`` is the day on which a contact of its client is long enough ago (rule 22.7).
    """

    entry_id: EntryId
    step: str
    reasons: tuple[str, ...]
    until: date | None = None


class ActionExcluded(Event):
    """A client's entries whose reasons changed in this round; one without reasons is excluded no more."""

    speaker: ClassVar[str] = "dunning"
    client_id: ClientId
    entries: tuple[ExcludedEntry, ...]


class ActionWithdrawn(Event):
    """The action will not be carried out; its entries keep their level (rules 8.17, 22.16)."""

    speaker: ClassVar[str] = "dunning"
    action_id: UUID
    client_id: ClientId
    reason: str


class LevelMove(Fact):
    """``next_step`` is the step that a person chose to come next; ``level_after`` is then the level before it
    (rules 5.5, 5.6). ``reminded_on`` is the day of the last reminder where another tool made it.
    """

    entry_id: EntryId
    level_before: str | None
    level_after: str | None
    next_step: str | None = None
    reminded_on: date | None = None


class ActionDone(Event):
    """The action was carried out on ``done_on``: the levels of its entries before and after (rule 5.3).

    ``levels`` is empty when the scenario does not take the action into account (rule 5.5).
    """

    speaker: ClassVar[str] = "dunning"
    action_id: UUID
    client_id: ClientId
    step: str
    medium: str
    done_on: date
    levels: tuple[LevelMove, ...]


class NoticedEntry(Fact):
    """An entry that an advance notice has told of."""

    entry_id: EntryId
    noticed_on: date


class LevelSet(Event):
    """Levels moved without a message: by a person, or because a credit stood alone (rules 5.6, 22.14).

    A level set by a person (``reason`` is ``set_by_person``, each move with its ``next_step``) keeps the day of
    the last reminder, unless the move names it; any other is reached on ``set_on``.

    ``noticed`` are entries of a renumbered client whose advance notice left under the old code (rule 5.9).
    """

    speaker: ClassVar[str] = "dunning"
    client_id: ClientId
    reason: str
    set_on: date
    levels: tuple[LevelMove, ...]
    noticed: tuple[NoticedEntry, ...] = ()


class RoundCompleted(Event):
    """The decisions of a company and day are all recorded; said once per (company, as_of)."""

    speaker: ClassVar[str] = "dunning"
    round_on: date
    clients: int
    entries: int
    proposed: int
    due: int
    excluded: int


class DunningExhausted(Event):
    """Nothing follows the last active step that this entry has received. Said again only once its level has been
    lowered and the end is reached anew.
    """

    speaker: ClassVar[str] = "dunning"
    client_id: ClientId
    entry_id: EntryId
