"""Where people are sent, what their forms must carry, what their role allows."""

import pytest

from services.console.pages.tasks import read_groups, total
from services.console.visits import safe_return, visitor_token
from tests.integration.console.fixture_tasks import tasks


@pytest.mark.parametrize(
    "path", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "elsewhere", "", None]
)
def test_signing_in_never_leads_elsewhere(path: str | None) -> None:
    assert safe_return(path, "/") == "/"


def test_signing_in_leads_back_to_the_page_that_was_asked_for() -> None:
    assert safe_return("/c/delcourt/client?client_id=411X", "/") == "/c/delcourt/client?client_id=411X"


def test_each_visitor_has_a_form_token_of_their_own() -> None:
    assert visitor_token("one") != visitor_token("two")
    assert "one" not in visitor_token("one")


def test_the_day_is_shown_by_medium_then_step() -> None:
    groups = read_groups(tasks(), set())
    assert [group.medium for group in groups] == ["phone", "letter", "email", "email", "email"]


def test_an_excluded_client_is_never_ticked_and_says_why() -> None:
    """Rules 8.1 and 2.8: excluded rows stay visible but unticked."""
    reminders = next(group for group in read_groups(tasks(), set()) if group.step == "R1" and group.has_email)
    excluded = {row.client_id: row.reasons for row in reminders.excluded}
    assert excluded == {"411HOTELDUPARC": ("client_stopped",), "411LEMOINE": ("lettering_error",)}
    assert not any(row.ticked for row in reminders.excluded)


def test_what_a_person_has_unticked_is_neither_counted_nor_summed() -> None:
    groups = read_groups(tasks(), set())
    first = next(row for group in groups if group.medium == "email" for row in group.ticked)
    assert first.action_id is not None
    before = total(row for group in groups if group.medium == "email" for row in group.ticked)
    groups = read_groups(tasks(), {first.action_id})
    after = total(row for group in groups if group.medium == "email" for row in group.ticked)
    assert after.actions == before.actions - 1
    assert dict(after.amounts)["EUR"] == dict(before.amounts)["EUR"] - first.amount
