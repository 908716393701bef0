"""How a notify spec reads: entries as accounting shows them, an action that speaks of them, what is known."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from contracts.dunning import Action, ActionEntry
from services.notify.domain import EntryNow, Person, Sender, SituationNow, Subjects, statement

DUE = date(2026, 4, 5)
DAY = date(2026, 4, 8)

PERSON = Person(
    client_id="411DIAZ",
    version=1,
    name="Giraud & Diaz",
    emails=("compta@diaz.example",),
    address=("1 rue du Port", "57000 Metz"),
    contact_name="Madame Giraud",
)
SENDER = Sender(
    name="Nathalie Ferrand",
    email="comptabilite@delcourt.example",
    company_name="Ateliers Delcourt",
    phone="03 87 00 00 12",
)


def entry(piece: str, amount: str, due: date = DUE, **facts: Any) -> EntryNow:
    return EntryNow(
        entry_id=f"{abs(hash(piece)):032x}"[:32],
        piece=piece,
        kind="invoice" if Decimal(amount) > 0 else "payment",
        entry_date=date(2026, 3, 1),
        due_date=due,
        amount=Decimal(amount),
        currency="EUR",
        **facts,
    )


def action(entries: Sequence[EntryNow], **facts: Any) -> Action:
    lines = tuple(
        ActionEntry(entry_id=one.entry_id, occurrence=1, amount=one.amount, due_date=one.due_date)
        for one in entries
    )
    net = sum((one.amount for one in entries), Decimal(0))
    wanted: dict[str, Any] = {"kind": "reminder", "step": "R1", "medium": "email", "currency": "EUR", **facts}
    return Action(
        action_id=UUID(int=7),
        client_id=PERSON.client_id,
        profile="Standard",
        scenario_version=1,
        amount=sum((one.amount for one in entries if one.amount > 0), Decimal(0)),
        net_amount=net,
        book_net_amount=net,
        due_since=DUE,
        entries=lines,
        **wanted,
    )


def situation(*entries: EntryNow, **facts: Any) -> SituationNow:
    known: dict[str, Any] = {
        "withdrawn": False,
        "client_stopped": False,
        "client_removed": False,
        "promises_exclude": False,
        **facts,
    }
    return SituationNow(entries={one.entry_id: one for one in entries}, **known)


def about(*entries: EntryNow, as_of: date = DAY, **facts: Any) -> Subjects:
    """What a message about these entries knows; ``person`` and ``sender`` may be given."""
    person, sender = facts.pop("person", PERSON), facts.pop("sender", SENDER)
    one = action(entries, **facts)
    table = statement(one, {known.entry_id: known for known in entries}, as_of)
    return Subjects(one, table, person, sender, Decimal("1300"), Decimal("99.5"), as_of)
