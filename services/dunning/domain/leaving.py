"""Whether a message may leave now, and by itself (rules 2.6, 22.7, 22.13)."""

from datetime import date, timedelta

from services.dunning.domain.looks import Draft
from services.dunning.domain.policy import Policy
from services.dunning.domain.state import ClientState, EntryState


def entry_is_automatic(entry: EntryState, policy: Policy) -> bool:
    """What a person chose for the entry; else whether its invoice is of the activation day or later."""
    if entry.automatic is not None:
        return entry.automatic
    return policy.automatic_from is not None and entry.counted_on >= policy.automatic_from


def leaves_by_itself(drawn: Draft, policy: Policy) -> bool:
    """Every invoice of the message may: one that may not has the whole message proposed to a person."""
    return all(entry_is_automatic(one.entry, policy) for one in drawn.members if one.entry.amount > 0)


def data_is_stale(client: ClientState, policy: Policy, as_of: date) -> bool:
    """No synchronisation succeeded, by business dates, within the days that the policy gives (rule 2.6)."""
    return client.synced_on is None or (as_of - client.synced_on).days > policy.stale_after_days


def contact_over_on(client: ClientState, policy: Policy, round_on: date | None) -> date | None:
    """The day from which a message of that round respects the days between two contacts; ``None`` without one.

    All messages of one round count as one contact, on whatever day each is carried out (rule 22.7).
    """
    for contact in client.contacts:
        if contact.round_on is None or contact.round_on != round_on:
            return contact.on + timedelta(days=policy.contact_gap_days)
    return None
