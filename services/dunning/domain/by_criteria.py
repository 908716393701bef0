"""Clients chosen by what they are, not by the day of a scenario (rule 9.8): one message with what is late."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from services.dunning.domain import exclusions
from services.dunning.domain.exclusions import entry_reasons, message_reasons, stop_is_over, together
from services.dunning.domain.leaving import contact_over_on
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.state import ClientState, EntryState
from services.dunning.domain.tolerance import ONE_DAY, account_is_in_credit, late_total, tolerance_of
from services.dunning.domain.verdicts import NEVER_REMINDED, NO_SCENARIO, VARIANT_OFF

REMINDED_TODAY = "reminded_today"
NO_EMAIL_ADDRESS = "no_email_address"
REASONS = (REMINDED_TODAY, NO_EMAIL_ADDRESS)
"""Beside those of rule 8: never two reminders of one entry on one day, and no mail without an address."""
NEVER_ACCEPTED = exclusions.NEVER_ACCEPTED | set(REASONS)
EMAIL = "email"


class LeftOut(NamedTuple):
    """A late entry that the message would not speak of, and why."""

    entry: EntryState
    reasons: tuple[str, ...]


class Candidate(NamedTuple):
    """A client in one currency, as one message would speak to it.

    ``reasons`` say why it is not proposed; with none it is. ``until`` is the day from which the client may be
    contacted again. ``level`` and ``reminded_on`` are the highest and the latest of its late entries,
    ``days_late`` those of the oldest.
    """

    client_id: str
    currency: str
    entries: tuple[EntryState, ...]
    left_out: tuple[LeftOut, ...]
    amount: int
    net_amount: int
    level: int
    reminded_on: date | None
    days_late: int
    reasons: tuple[str, ...]
    until: date | None

    @property
    def can_include(self) -> bool:
        """A person may tick it back (rule 8.15)."""
        return bool(self.entries) and not NEVER_ACCEPTED.intersection(self.reasons)


def candidates(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, medium: str
) -> list[Candidate]:
    """One per currency in which something is late, by currency.

    An entry that the rules leave out is left out of the message; where they leave out every one, the client is
    listed with their reasons, and ticked back speaks of those that a person may tick back. Creditor clients are
    not listed where the policy hides them (rule 22.3).
    """
    late = [entry for entry in client.entries if entry.due_date < as_of]
    found = []
    for currency in sorted({entry.currency for entry in late if entry.amount > 0}):
        account = [one for one in late if one.currency == currency and _counts(one, policy)]
        candidate = _candidate(client, policy, scenario, as_of, medium, account)
        if not (policy.creditors_hidden and exclusions.CREDITOR_CLIENT in candidate.reasons):
            found.append(candidate)
    return found


def against(  # noqa: PLR0913, PLR0917 - what a message follows from
    client: ClientState,
    policy: Policy,
    scenario: Scenario | None,
    as_of: date,
    medium: str,
    entries: Iterable[EntryState],
) -> tuple[str, ...]:
    """Everything that speaks against one message about these entries, theirs and the client's."""
    entries = tuple(entries)
    own = (_entry_reasons(entry, client, policy, as_of) for entry in entries)
    net = sum(entry.amount for entry in entries)
    book_net = sum(entry.book_amount for entry in entries)
    return together(
        _client_reasons(client, policy, scenario, as_of, medium), message_reasons(book_net, net, policy), *own
    )


def _candidate(  # noqa: PLR0913, PLR0917 - what a message follows from
    client: ClientState,
    policy: Policy,
    scenario: Scenario | None,
    as_of: date,
    medium: str,
    account: list[EntryState],
) -> Candidate:
    looks = [LeftOut(entry, _entry_reasons(entry, client, policy, as_of)) for entry in account]
    spoken = [look.entry for look in looks if not look.reasons]
    if not any(entry.amount > 0 for entry in spoken):
        spoken = [look.entry for look in looks if not NEVER_ACCEPTED.intersection(look.reasons)]
    if not any(entry.amount > 0 for entry in spoken):
        spoken = []
    reasons = against(client, policy, scenario, as_of, medium, spoken or account)
    debits = [entry for entry in account if entry.amount > 0]
    return Candidate(
        client.client_id,
        account[0].currency,
        tuple(sorted(spoken, key=_by_age)),
        tuple(look for look in looks if look.entry not in spoken),
        sum(entry.amount for entry in spoken or account if entry.amount > 0),
        sum(entry.amount for entry in spoken or account),
        max(entry.level for entry in account),
        max((entry.reminded_on for entry in account if entry.reminded_on is not None), default=None),
        max((as_of - entry.due_date).days for entry in debits),
        reasons,
        _contact_until(client, policy, as_of),
    )


def _counts(entry: EntryState, policy: Policy) -> bool:
    """Credits stand in the message where they are netted in it (rule 7.2)."""
    return entry.amount > 0 or policy.netting != "none"


def _entry_reasons(entry: EntryState, client: ClientState, policy: Policy, as_of: date) -> tuple[str, ...]:
    reasons = entry_reasons(entry, client, policy, as_of)
    tolerance = tolerance_of(client, policy)
    if tolerance.days and tolerance.covers(entry, as_of):
        reasons = (*reasons, exclusions.WITHIN_TOLERANCE_DAYS)
    if entry.amount > 0 and (as_of == entry.reminded_on or _is_on_its_way(entry, client)):
        reasons = (*reasons, REMINDED_TODAY)
    return reasons


def _is_on_its_way(entry: EntryState, client: ClientState) -> bool:
    """A confirmed action speaks of it already: a mail being sent, a call to make."""
    held = (one.entry_id for action in client.open_actions if action.confirmed for one in action.entries)
    return entry.entry_id in held


def _client_reasons(
    client: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, medium: str
) -> tuple[str, ...]:
    reasons: list[str] = []
    if client.stopped and not stop_is_over(client.resumes_on, as_of):
        reasons.append(exclusions.CLIENT_STOPPED)
    if account_is_in_credit(client, policy, as_of, set()):
        reasons.append(exclusions.CREDITOR_CLIENT)
    if client.never:
        reasons.append(NEVER_REMINDED)
    if scenario is None:
        reasons.append(NO_SCENARIO)
    elif scenario.plan(client.has_email) is None:
        reasons.append(VARIANT_OFF)
    tolerance = tolerance_of(client, policy)
    if tolerance.amount is not None and late_total(client, tolerance, as_of, set()) <= tolerance.amount:
        reasons.append(exclusions.WITHIN_TOLERANCE_AMOUNT)
    if _contact_until(client, policy, as_of) is not None:
        reasons.append(exclusions.CONTACTED_RECENTLY)
    if medium == EMAIL and not client.has_email:
        reasons.append(NO_EMAIL_ADDRESS)
    return tuple(reasons)


def _contact_until(client: ClientState, policy: Policy, as_of: date) -> date | None:
    """The day from which the client may be contacted again (rule 22.7); ``None`` when that is today. One contact a
    day is enough for who is chosen by criteria, whatever the policy."""
    until = contact_over_on(client, policy, None)
    if any(contact.on == as_of for contact in client.contacts):
        until = max(until or as_of, as_of + ONE_DAY)
    return until if until is not None and until > as_of else None


def _by_age(entry: EntryState) -> tuple[date, str]:
    return entry.due_date, entry.entry_id
