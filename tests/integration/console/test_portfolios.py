"""Whose clients a person sees is set on a page and goes with every question asked in that person's name."""

import re
from uuid import uuid4

from chassis.auth import Caller, verify
from services.console.visits import Console
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

GROUP = "groupe@delcourt.example"
USERS = f"/c/{COMPANY}/users"
ACCOUNT = re.compile(r'name="account_id" value="([^"]+)"')


def _asked_as(console: Console, fakes: FakeServices) -> Caller:
    """Who the last question was asked for."""
    return verify(fakes.headers[-1]["authorization"].removeprefix("Bearer "), console.gateway.key)


async def _as(person: Person, email: str) -> None:
    """Another person at the same screen."""
    person.http.cookies.clear()
    await person.sign_in(email)


async def _limit(person: Person, sees: str, *codes: str) -> str:
    """An administrator fills in the form of the first person who may be limited; where that leads."""
    account = ACCOUNT.findall((await person.get(USERS)).text)[0]
    answer = await person.post(
        f"{USERS}/portfolio", on=USERS, account_id=account, sees=sees, salesperson=list(codes)
    )
    return answer.headers["location"]


async def test_a_portfolio_goes_with_every_question_from_the_next_page_on(
    console: Console, person: Person, fakes: FakeServices
) -> None:
    """Rule 15.2: chosen by an administrator, all clients again when that is said."""
    await _as(person, "nathalie@delcourt.example")
    assert await _limit(person, "some", "4", "9") == f"{USERS}?done=portfolio"
    await _as(person, GROUP)
    assert (await person.get(f"/c/{COMPANY}/home")).status_code == 200
    assert _asked_as(console, fakes).portfolio == ("4", "9")
    assert (await person.get("/c/autre/clients")).status_code == 200
    assert _asked_as(console, fakes).portfolio is None, "another company's clients are not touched by it"
    await _as(person, "nathalie@delcourt.example")
    assert await _limit(person, "all", "4") == f"{USERS}?done=portfolio"
    await _as(person, GROUP)
    await person.get(f"/c/{COMPANY}/home")
    assert _asked_as(console, fakes).portfolio is None


async def test_what_is_about_all_clients_is_neither_shown_nor_done(person: Person, fakes: FakeServices) -> None:
    await _as(person, "nathalie@delcourt.example")
    await _limit(person, "some", "4")
    await _as(person, GROUP)
    home = (await person.get(f"/c/{COMPANY}/act/criteria")).text
    assert "Simulation" not in home
    assert f"/c/{COMPANY}/imports" not in home
    for page in ("imports", "simulation", "users"):
        assert (await person.get(f"/c/{COMPANY}/{page}")).status_code == 403
    await _as(person, "nathalie@delcourt.example")
    await _limit(person, "all")


async def test_somebody_sees_the_clients_of_somebody_and_administrators_see_all(person: Person) -> None:
    """Rule 15.2: "no" without a sales person is no portfolio; the list offers none to administrators."""
    await _as(person, "nathalie@delcourt.example")
    assert (await _limit(person, "some")) == f"{USERS}?refused=portfolio-empty"
    page = (await person.get(USERS)).text
    assert len(ACCOUNT.findall(page)) == 2, "the reader and the user, not the administrator"


async def test_who_sees_all_may_look_at_the_tasks_of_some_sales_people(
    console: Console, clerk: Person, fakes: FakeServices
) -> None:
    """Rule 15.5: nobody sees more by it."""
    assert (await clerk.get(f"/c/{COMPANY}/my-tasks?salesperson=4")).status_code == 200
    asked = {
        verify(one["authorization"].removeprefix("Bearer "), console.gateway.key).portfolio
        for one in fakes.headers
    }
    assert ("4",) in asked


async def test_the_same_question_answered_twice_asks_for_the_same_actions(
    clerk: Person, fakes: FakeServices
) -> None:
    """Rule 9.8: each action is named by the question, the client and the currency."""
    page = f"/c/{COMPANY}/act/criteria?level=R1&medium=email"
    keys = re.findall(r'name="chosen" value="([^"]+)"[^>]*checked', (await clerk.get(page)).text)
    review = await clerk.post(f"/c/{COMPANY}/act/criteria/review", on=page, chosen=keys[:2], level="R1")
    assert review.status_code == 200
    fields = dict(re.findall(r'name="(fingerprint|batch)" value="([^"]+)"', review.text))
    for _ in range(2):
        sent = await clerk.post(
            f"/c/{COMPANY}/act/criteria/confirm", on=page, chosen=keys[:2], level="R1", **fields
        )
        assert sent.status_code == 303
    first, again = [body for service, path, body in fakes.commands if path == "/by-hand"]
    assert first == again
    assert [wish["client_id"] for wish in first["actions"]] == [key.rpartition("|")[0] for key in keys[:2]]
    assert all(wish["by_criteria"] and wish["accepted_reasons"] == [] for wish in first["actions"])


async def test_a_selection_that_changed_since_the_question_is_asked_about_again(
    clerk: Person, fakes: FakeServices
) -> None:
    page = f"/c/{COMPANY}/act/criteria"
    keys = re.findall(r'name="chosen" value="([^"]+)"', (await clerk.get(page)).text)
    answer = await clerk.post(
        f"{page}/confirm",
        on=page,
        chosen=keys[:1],
        fingerprint="9/9/1.00EUR",
        batch=str(uuid4()),
    )
    assert "La sélection a changé depuis votre lecture" in answer.text
    assert not [path for _, path, _ in fakes.commands if path == "/by-hand"]
