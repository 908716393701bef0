"""Addresses that mails came back from: a client without another one has no e-mail, until it is corrected."""

from typing import Any

from tests.integration.ledger.conftest import House, Voice
from tests.integration.ledger.test_contacts import known_client

OLD, NEW = "compta@diaz.example", "nouvelle@diaz.example"


async def has_email(house: House, company: str) -> Any:
    return (await house.until_said(company, "ClientChanged"))[-1]["has_email"]


async def mark(house: House, company: str, email: str) -> int:
    body = {"marks": [{"client_id": "C1", "email": email, "reason": "address_unknown"}]}
    answer = await house.post(company, "/mark-addresses", body)
    assert answer.status_code == 200, answer.text
    marked: int = answer.json()["marked"]
    return marked


async def told_by_sage(house: House, company: str, *emails: str) -> None:
    client = {"client_id": "C1", "name": "Diaz", "emails": list(emails)}
    answer = await house.post(company, "/people", {"source": "sage", "clients": [client]})
    assert answer.status_code == 200, answer.text


async def test_a_dead_address_is_none_and_a_corrected_one_counts(voice: Voice, house: House, company: str) -> None:
    """Rules 4.2, 22.31: the variant without e-mail holds until another address is known."""
    await known_client(voice, house, company)
    await told_by_sage(house, company, OLD)
    assert await has_email(house, company) is True

    assert await mark(house, company, OLD.upper()) == 1
    assert await has_email(house, company) is False
    assert await mark(house, company, OLD) == 0
    assert await mark(house, company, "colleague@delcourt.example") == 0
    client = await house.get(company, "/client", client_id="C1")
    assert [(one["email"], one["reason"]) for one in client["unreachable"]] == [(OLD, "address_unknown")]
    (person,) = (await house.post(company, "/people/query", {"client_ids": ["C1"]})).json()["people"]
    assert (person["emails"], person["unreachable"]) == ([OLD], [OLD])

    await told_by_sage(house, company, NEW)
    assert await has_email(house, company) is True
    await told_by_sage(house, company, OLD)
    assert await has_email(house, company) is False


async def test_a_person_may_say_that_an_address_is_right(voice: Voice, house: House, company: str) -> None:
    await known_client(voice, house, company)
    await told_by_sage(house, company, OLD)
    await mark(house, company, OLD)
    answer = await house.post(company, "/clear-address", {"client_id": "C1", "email": OLD})
    assert answer.json()["cleared"] == 1
    assert await has_email(house, company) is True

    await mark(house, company, OLD)
    assert await has_email(house, company) is False
    await house.put(company, "/contact", {"client_id": "C1", "name": "Alice", "email": OLD})
    assert await has_email(house, company) is True


async def test_a_dead_contact_is_none_and_is_forgotten_with_its_person(
    voice: Voice, house: House, company: str
) -> None:
    await known_client(voice, house, company)
    await house.put(company, "/contact", {"client_id": "C1", "name": "Alice", "email": OLD})
    assert await mark(house, company, OLD) == 1
    assert await has_email(house, company) is False
    kept = await house.get(company, "/person-data", client_id="C1")
    assert [one["email"] for one in kept["unreachable"]] == [OLD]
    assert (await house.post(company, "/erase-person", {"client_id": "C1"})).status_code == 200
    assert (await house.get(company, "/person-data", client_id="C1"))["unreachable"] == []
