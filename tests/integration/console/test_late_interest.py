"""Late interest on the pages (rules 18.2, 18.3): the terms an administrator chooses, and what a client bears."""

from typing import Any

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/late-interest"
CHOSEN: dict[str, Any] = {
    "basis": "contract",
    "contract_rate": "12,5 %",
    "debtors": "all_but",
    "category": "Particuliers",
    "starts_on": "2026-07-01",
    "refinancing_2026-07-01": "2,15",
    "legal_2026-07-01": "2,6",
}


async def test_the_terms_reach_ledger_as_numbers(clerk: Person, fakes: FakeServices) -> None:
    fakes.commands.clear()
    answer = await clerk.post(PAGE, on=PAGE, **CHOSEN)
    assert answer.status_code == 303
    assert fakes.commands == [
        (
            "ledger",
            "/late-interest",
            {
                "basis": "contract",
                "contract_rate": "12.5",
                "debtors": "all_but",
                "categories": ["Particuliers"],
                "rates": [{"starts_on": "2026-07-01", "refinancing": "2.15", "legal": "2.6"}],
            },
        )
    ]
    assert "sont enregistrés" in (await clerk.get(answer.headers["location"])).text


async def test_a_half_year_left_empty_is_the_programs_own(clerk: Person, fakes: FakeServices) -> None:
    fakes.commands.clear()
    await clerk.post(PAGE, on=PAGE, **{**CHOSEN, "refinancing_2026-07-01": "", "legal_2026-07-01": " "})
    ((_, _, body),) = fakes.commands
    assert body["rates"] == []


async def test_what_ledger_refuses_is_told_in_words(clerk: Person) -> None:
    assert "Rien n’est enregistré" in (await clerk.get(f"{PAGE}?refused=invalid-request")).text


async def test_the_client_page_shows_interest_beside_the_totals(clerk: Person) -> None:
    shown = (await clerk.get(f"/c/{COMPANY}/client?client_id=411MUNOZSA")).text.replace("\xa0", " ")
    assert "Intérêts de retard et indemnité" in shown
    for words in ("69,33 €", "40,00 €", "provisoire", "ni comptabilisés ni compris dans les totaux"):
        assert words in shown, words
