"""Answers of people: which they are, and whose (rule 22.33)."""

import pytest

from services.notify.reports.answering import is_of_own_people
from services.notify.reports.judging import Kind, Reason
from services.notify.reports.reading import read
from tests.specs.notify.given_reports import ABSENCE, ANSWER, MESSAGE_ID, TO

OWN = ("relance@delcourt.example", "compta@delcourt.example")
NAMED = MESSAGE_ID[1:37].replace("-", "")


def test_an_answer_names_the_message_it_quotes() -> None:
    report = read(ANSWER)
    assert (report.kind, report.sender) == (Kind.REPLY, TO)
    assert MESSAGE_ID in report.message_ids
    assert report.text.strip() == "Le règlement part vendredi."


def test_an_answer_that_quotes_nothing_is_one_by_the_address_it_came_to() -> None:
    bare = ANSWER.replace(b"In-Reply-To:", b"X-Was:").replace(b"References:", b"X-Were:")
    assert read(bare).kind is Kind.UNKNOWN
    tagged = bare.replace(b"To: <relance@", f"To: <relance+{NAMED}@".encode())
    report = read(tagged)
    assert report.kind is Kind.REPLY
    assert [one.hex for one in report.returned_to] == [NAMED]


def test_an_automatic_answer_is_none() -> None:
    assert [(one.kind, one.reason) for one in read(ABSENCE).findings] == [(Kind.AUTO_REPLY, Reason.ABSENCE)]


@pytest.mark.parametrize(
    ("sender", "own"),
    [
        ("compta@diaz.example", False),  # whom it was sent to
        ("direction@diaz.example", False),
        ("conseil@avocats.example", False),
        ("Relance@Delcourt.example", True),
        ("marie@delcourt.example", True),
    ],
)
def test_the_companys_own_people_do_not_answer_for_the_client(sender: str, own: bool) -> None:
    assert is_of_own_people(sender, OWN, ["compta@diaz.example"]) is own


@pytest.mark.parametrize("domain", ["gmail.com", "orange.fr", "free.fr", "laposte.net", "outlook.fr"])
def test_at_a_public_provider_only_the_companys_very_addresses_are_its_own(domain: str) -> None:
    """Whoever else writes from there answers for the client, as somebody at home of whom we wrote to at work."""
    own = (f"delcourt.compta@{domain}", "")
    assert is_of_own_people(f"Delcourt.Compta@{domain}", own, ["compta@diaz.example"]) is True
    assert is_of_own_people(f"lise.diaz@{domain}", own, ["compta@diaz.example"]) is False


def test_a_domain_that_company_and_client_share_tells_nothing() -> None:
    """Two companies of a group, or two that write by the same public provider."""
    assert is_of_own_people("autre@delcourt.example", OWN, ["filiale@delcourt.example"]) is False
    assert is_of_own_people("filiale@delcourt.example", OWN, ["filiale@delcourt.example"]) is False
    assert is_of_own_people("compta@delcourt.example", OWN, ["filiale@delcourt.example"]) is True
