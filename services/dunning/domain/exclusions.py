"""Why a step that is due is not carried out (rule 8). A reason never takes the step away (rule 8.17)."""

from datetime import date, timedelta
from functools import cache

from services.dunning.domain.policy import Policy
from services.dunning.domain.state import ClientState, EntryState
from services.dunning.domain.verdicts import NEVER_REMINDED

CLIENT_STOPPED = "client_stopped"
ENTRY_STOPPED = "entry_stopped"
AUTOMATIC_PAYMENT_MODE = "automatic_payment_mode"
BELOW_ENTRY_MINIMUM = "below_entry_minimum"
PROMISE_AHEAD = "promise_ahead"
DISPUTED = "disputed"
PAID_ONLINE = "paid_online"
LETTERING_ERROR = "lettering_error"
BELOW_MINIMUM = "below_minimum"
ABOVE_MAXIMUM = "above_maximum"
NET_NOT_POSITIVE = "net_not_positive"
CREDITOR_CLIENT = "creditor_client"
CREDIT_NOT_DUE = "credit_not_due"
WITHIN_TOLERANCE_DAYS = "within_tolerance_days"
WITHIN_TOLERANCE_AMOUNT = "within_tolerance_amount"
CONTACTED_RECENTLY = "contacted_recently"
STALE_DATA = "stale_data"

REASONS = (
    CLIENT_STOPPED,
    CREDITOR_CLIENT,
    ENTRY_STOPPED,
    AUTOMATIC_PAYMENT_MODE,
    BELOW_ENTRY_MINIMUM,
    PROMISE_AHEAD,
    DISPUTED,
    PAID_ONLINE,
    LETTERING_ERROR,
    CREDIT_NOT_DUE,
    WITHIN_TOLERANCE_DAYS,
    WITHIN_TOLERANCE_AMOUNT,
    BELOW_MINIMUM,
    ABOVE_MAXIMUM,
    NET_NOT_POSITIVE,
    CONTACTED_RECENTLY,
    STALE_DATA,
)
OF_THE_CLIENT = frozenset({CLIENT_STOPPED, CREDITOR_CLIENT, NEVER_REMINDED})
"""What speaks against the client as a whole: whoever is excluded for reasons of its own is for these as well."""
NEVER_ACCEPTED = frozenset({LETTERING_ERROR, NET_NOT_POSITIVE})
"""No person ticks these back: a paid invoice must never be chased, a message never asks for nothing."""

NONE: tuple[str, ...] = ()


def entry_reasons(entry: EntryState, client: ClientState, policy: Policy, as_of: date) -> tuple[str, ...]:
    """The reasons that lie in the entry itself."""
    reasons: list[str] | None = None
    if entry.stopped and not stop_is_over(entry.resumes_on, as_of):
        reasons = [ENTRY_STOPPED]
    if policy.automatic_payment_modes:
        mode = entry.payment_mode or client.payment_mode  # the entry's, else the client's (rule 14.3)
        if mode in policy.automatic_payment_modes:
            reasons = [*(reasons or ()), AUTOMATIC_PAYMENT_MODE]
    minimum = policy.minimum_per_entry
    if minimum is not None and entry.amount > 0 and entry.book_amount < minimum:
        reasons = [*(reasons or ()), BELOW_ENTRY_MINIMUM]  # credits are never dropped (rule 8.14)
    if policy.promises_exclude and promised_until(entry, as_of) is not None:
        reasons = [*(reasons or ()), PROMISE_AHEAD]
    if policy.disputes_exclude and (entry.disputed or client.disputed):
        reasons = [*(reasons or ()), DISPUTED]  # only where the company says so (rules 8.10, 22.5)
    if entry.paid_online_on is not None and not was_reopened_since(entry):
        reasons = [*(reasons or ()), PAID_ONLINE]  # until accounting letters it (rule 8.6)
    if entry.lettering_error:
        reasons = [*(reasons or ()), LETTERING_ERROR]
    if policy.upcoming_credits_excluded and entry.amount < 0 and entry.due_date >= as_of:
        reasons = [*(reasons or ()), CREDIT_NOT_DUE]
    return NONE if reasons is None else tuple(reasons)


def was_reopened_since(entry: EntryState) -> bool:
    """The line was lettered after it was paid online and un-lettered again: that payment holds it no more."""
    return (
        entry.paid_online_on is not None
        and entry.reopened_on is not None
        and entry.reopened_on > entry.paid_online_on
    )


def stop_is_over(resumes_on: date | None, as_of: date) -> bool:
    """A stop with an end holds until the day before; without one, until a person resumes (rules 8.1, 8.2)."""
    return resumes_on is not None and resumes_on <= as_of


def promised_until(entry: EntryState, as_of: date) -> date | None:
    """The day on which promises stop holding the entry back; ``None`` when they do not.

    They do iff one is dated after today and none before it (rule 10.5).
    """
    first, last = entry.first_promise_on, entry.last_promise_on
    if first is None or last is None or last <= as_of or first < as_of:
        return None
    return min(last, first + timedelta(days=1))


def message_reasons(book_net: int, net: int, policy: Policy) -> tuple[str, ...]:
    """All the reasons that lie in the message as a whole; equal to a threshold is sent (rule 8.12)."""
    reasons = NONE
    if net <= 0:
        reasons = (NET_NOT_POSITIVE,)
    if policy.minimum_per_reminder is not None and book_net < policy.minimum_per_reminder:
        reasons = (*reasons, BELOW_MINIMUM)
    if policy.maximum_per_reminder is not None and book_net > policy.maximum_per_reminder:
        reasons = (*reasons, ABOVE_MAXIMUM)
    return reasons


@cache
def together(*reasons: tuple[str, ...]) -> tuple[str, ...]:
    """All of them once, sorted. There are few combinations, and a round asks very often."""
    return tuple(sorted({reason for some in reasons for reason in some}))
