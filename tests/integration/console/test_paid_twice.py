"""What clients paid twice online is told where people look, until it went back (rule 19.5)."""

import html

import httpx
import pytest

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices


def shown(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("page", ["alerts", "client/space?client_id=411MUNOZSA"])
async def test_it_is_named_with_what_is_to_be_given_back(clerk: Person, page: str) -> None:
    text = shown(await clerk.get(f"/c/{COMPANY}/{page}"))
    assert "Payé deux fois" in text
    assert "1 000,00 €" in text


async def test_a_service_that_does_not_say_hides_no_other_alert(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/payments/to-refund"] = {"type": "unknown", "status": 404}
    assert "Payé deux fois" not in shown(await clerk.get(f"/c/{COMPANY}/alerts"))


async def test_the_account_is_named_beside_its_mode(clerk: Person) -> None:
    assert "acct_1Qf7" in shown(await clerk.get(f"/c/{COMPANY}/online-payment"))
