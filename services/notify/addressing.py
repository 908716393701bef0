"""Who receives a message: the contacts made for its step, else the client's main addresses (rule 19.1). Pure."""

from dataclasses import dataclass, replace

from contracts.dunning import Action
from services.notify.domain import Contact, Person
from services.notify.messages import usable_addresses


@dataclass(frozen=True, slots=True)
class Recipients:
    """Usable addresses, none twice. ``addressed`` are the contacts chosen for the step, if any were."""

    to: tuple[str, ...]
    copies: tuple[str, ...] = ()
    addressed: tuple[Contact, ...] = ()


def recipients(person: Person, action: Action) -> Recipients:
    """Without a main address either, every contact is written to: better one too many than nobody."""
    chosen = tuple(one for one in person.contacts if _receives(one, action) and usable_addresses([one.email]))
    to = usable_addresses([one.email for one in chosen]) or usable_addresses(person.emails)
    if not to:
        to = usable_addresses([one.email for one in person.contacts])
    copied = usable_addresses([one.email for one in person.contacts if one.in_copy])
    return Recipients(to, tuple(email for email in copied if email not in to) if to else (), chosen)


def addressed_to(person: Person, found: Recipients) -> Person:
    """The person as the message speaks to it: by the name of the contact that was chosen."""
    return replace(person, contact_name=found.addressed[0].name) if found.addressed else person


def _receives(contact: Contact, action: Action) -> bool:
    match action.kind:
        case "notice":
            return contact.notices
        case "thanks":
            return contact.thanks
        case _:
            level = int(action.step[1:]) if action.step[1:].isdigit() else 0
            return contact.reminders_from is not None and level >= contact.reminders_from
