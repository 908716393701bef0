"""Which of a client's people receives a message (rule 19.1)."""

from dataclasses import replace

import pytest

from services.notify.addressing import addressed_to, recipients
from services.notify.domain import Contact
from services.notify.messages import compose
from services.notify.rendering import render
from tests.specs.notify.given import DAY, PERSON, SENDER, about, action, entry

INVOICE = entry("FAC1", "100")
ANNE = Contact("Anne", "anne@diaz.example", notices=True, reminders_from=1)
BOSS = Contact("Le Patron", "patron@diaz.example", reminders_from=3, in_copy=True)
THANKED = Contact("Merci", "merci@diaz.example", thanks=True)


def sent(step: str, *contacts: Contact, emails: tuple[str, ...] = PERSON.emails) -> tuple[object, object]:
    kind = {"notice": "notice", "thanks": "thanks"}.get(step, "reminder")
    found = recipients(replace(PERSON, contacts=contacts, emails=emails), action([INVOICE], kind=kind, step=step))
    return found.to, found.copies


@pytest.mark.parametrize(
    ("step", "to", "copies"),
    [
        ("notice", ("anne@diaz.example",), ("patron@diaz.example",)),
        ("R1", ("anne@diaz.example",), ("patron@diaz.example",)),
        ("R2", ("anne@diaz.example",), ("patron@diaz.example",)),
        ("R3", ("anne@diaz.example", "patron@diaz.example"), ()),
        ("R7", ("anne@diaz.example", "patron@diaz.example"), ()),
        ("thanks", ("merci@diaz.example",), ("patron@diaz.example",)),
    ],
)
def test_each_contact_gets_its_steps(step: str, to: tuple[str, ...], copies: tuple[str, ...]) -> None:
    """Rules 19.1, 22.23."""
    assert sent(step, ANNE, BOSS, THANKED) == (to, copies)


def test_without_a_contact_for_the_step_the_main_address_is_written_to() -> None:
    assert sent("R1", THANKED) == (("compta@diaz.example",), ())
    assert sent("R1") == (("compta@diaz.example",), ())
    assert sent("R1", BOSS) == (("compta@diaz.example",), ("patron@diaz.example",))


def test_a_contact_without_a_usable_address_is_no_recipient() -> None:
    assert sent("R1", replace(ANNE, email="anne at diaz")) == (("compta@diaz.example",), ())


def test_without_a_main_address_either_every_contact_is_written_to() -> None:
    assert sent("R1", THANKED, emails=()) == (("merci@diaz.example",), ())
    assert sent("R1", emails=()) == ((), ())


def test_nobody_is_written_to_twice() -> None:
    twin = replace(ANNE, name="Jumelle", in_copy=True)
    assert sent("R1", ANNE, twin) == (("anne@diaz.example",), ())


def test_the_message_speaks_to_the_contact_chosen() -> None:
    person = replace(PERSON, contacts=(ANNE,))
    assert addressed_to(person, recipients(person, action([INVOICE]))).contact_name == "Anne"
    assert addressed_to(PERSON, recipients(PERSON, action([INVOICE]))).contact_name == "Madame Giraud"


def test_copies_stand_in_the_mail_and_on_its_envelope() -> None:
    from datetime import UTC, datetime

    shown = render("Rappel", "Bonjour", about(INVOICE), "fr")
    at = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    mail = compose(shown, SENDER, ["a@diaz.example"], "<x@delcourt.example>", at, ["b@diaz.example"])
    assert b"\r\nTo: a@diaz.example\r\nCc: b@diaz.example\r\n" in mail.raw
    assert mail.recipients == ("a@diaz.example", "b@diaz.example")
    alone = compose(shown, SENDER, ["a@diaz.example"], "<x@delcourt.example>", at)
    assert b"Cc:" not in alone.raw
