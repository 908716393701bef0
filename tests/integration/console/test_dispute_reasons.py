"""Configurer, Motifs de litige: the reasons that people choose from (rule 11.3)."""

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/dispute-reasons"


async def test_a_reason_is_added_and_taken_out_and_the_settings_stay(clerk: Person, fakes: FakeServices) -> None:
    fakes.commands.clear()
    await clerk.post(f"{PAGE}/add", on=PAGE, reason="  Double  facturation ")
    await clerk.post(f"{PAGE}/remove", on=PAGE, reason="quantity")
    (_, _, added), (_, _, removed) = fakes.commands
    assert added["dispute_reasons"] == ["price", "quantity", "Pénalités refusées", "Double facturation"]
    assert removed["dispute_reasons"] == ["price", "Pénalités refusées"]
    assert (added["name"], added["currency"], added["fiscal_year_start"]) == ("Ateliers Delcourt", "EUR", "01-01")


async def test_the_same_reason_twice_is_refused_also_as_a_delivered_word(
    clerk: Person, fakes: FakeServices
) -> None:
    fakes.commands.clear()
    for reason in ("prix", "pénalités refusées", "price"):
        answer = await clerk.post(f"{PAGE}/add", on=PAGE, reason=reason)
        assert "refused=dispute-reason-taken" in answer.headers["location"], reason
    assert fakes.commands == []


async def test_who_is_no_administrator_changes_nothing(reader: Person) -> None:
    assert "Pénalités refusées" in (await reader.get(PAGE)).text
    assert (await reader.post(f"{PAGE}/remove", on=PAGE, reason="price")).status_code == 403
