"""Lettering groups: a group is (account, client, code), whatever the years of its lines (rule 2.8)."""

from decimal import Decimal

from contracts.event import Event
from contracts.ledger import LetteringErrorCleared, LetteringErrorFound, PaymentLettered
from contracts.terms import lettering_difference
from services.ledger.domain import promising
from services.ledger.domain.facts import Announced, ClientState, Group, GroupSeen


def judge(state: ClientState, seen: GroupSeen) -> list[Event]:
    """What a group says once its run is heard whole: its balance, its payments, the promises of its entries."""
    difference = lettering_difference(line.book_amount for line in seen.lines)
    settled = difference == 0 and seen.lines
    return [
        *_balance(state, seen.group, difference),
        *(_payments(state, seen) if settled else ()),
        *(promising.kept(state, seen) if settled else ()),
        *promising.reopened(state),
    ]


def _balance(state: ClientState, group: Group, difference: Decimal) -> list[Event]:
    """Said when the difference of a group appears, changes or goes."""
    if difference == state.lettering_errors.get(group, 0):
        return []
    if difference == 0:
        return [LetteringErrorCleared(client_id=state.client_id, account=group.account, lettering=group.lettering)]
    return [
        LetteringErrorFound(
            client_id=state.client_id,
            account=group.account,
            lettering=group.lettering,
            difference=difference,
        )
    ]


def _payments(state: ClientState, seen: GroupSeen) -> list[Event]:
    """Each payment of a balanced group is announced once, with what its group settles since the last time.

    A code is used again from year to year: the payments and invoices of the years before stay in the group, and
    must not be thanked for again. A payment taken back is a debit that settles nothing.
    """
    known = state.lettered_payments.get(seen.group, Announced())
    paying = [
        line
        for line in seen.lines
        if line.kind == "payment" and line.book_amount < 0 and line.entry_id not in known.payments
    ]
    debits = {line.entry_id for line in seen.lines if line.kind != "payment" and line.book_amount > 0}
    if not paying or not debits:
        return []
    return [
        PaymentLettered(
            client_id=state.client_id,
            account=seen.group.account,
            lettering=seen.group.lettering,
            payments=tuple(sorted(line.entry_id for line in paying)),
            settled=tuple(sorted(debits - known.settled or debits)),
            paid_on=max(line.entry_date for line in paying),
        )
    ]
