"""What a company claims of businesses that pay late (rules 18.2, 18.3): its terms and the published rates."""

from typing import Any

import pytest

from tests.integration.ledger.conftest import House

TERMS: dict[str, Any] = {
    "basis": "contract",
    "contract_rate": "12.5",
    "debtors": "all_but",
    "categories": ["PART"],
    "rates": [{"starts_on": "2026-07-01", "refinancing": "2.15", "legal": "2.6"}],
}


async def told(house: House, company: str) -> Any:
    return await house.get(company, "/late-interest")


async def test_nothing_is_claimed_until_the_company_says_who_is_a_business(house: House, company: str) -> None:
    """Rule 18.2."""
    known = await told(house, company)
    assert known["terms"] == {
        "basis": "refinancing", "contract_rate": None, "debtors": "unsaid", "categories": [], "rates": []
    }  # fmt: skip
    assert known["indemnity"] == "40"
    oldest = known["half_years"][-1]
    assert (oldest["starts_on"], oldest["refinancing"], oldest["percent"]) == ("2015-01-01", "0.05", "10.05")


async def test_terms_are_said_once_and_rates_of_ones_own_go_before(house: House, company: str) -> None:
    """Rules 18.2, 18.3: the table shows what is claimed, here never less than three times the legal rate."""
    assert (await house.put(company, "/late-interest", TERMS)).json()["position"]
    assert (await house.put(company, "/late-interest", TERMS)).json()["position"] is None, "nothing changed"
    known = await told(house, company)
    assert known["terms"]["contract_rate"] == "12.5"
    by_day = {one["starts_on"]: one for one in known["half_years"]}
    assert (by_day["2026-07-01"]["own"], by_day["2026-07-01"]["percent"]) == (True, "12.5")
    assert by_day["2024-01-01"]["percent"] == "15.21"
    (said,) = [body for name, body in await house.said(company) if name == "LateInterestChosen"]
    assert (said["debtors"], said["categories"]) == ("all_but", ["PART"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"contract_rate": None},
        {"contract_rate": "101"},
        {"contract_rate": "12,5"},
        {"debtors": "only", "categories": []},
        {"debtors": "everybody"},
        {"rates": [{"starts_on": "2026-07-02", "refinancing": "2", "legal": "2"}]},
        {"rates": [{"starts_on": "2026-07-01", "refinancing": "2", "legal": ""}]},
        {"rates": TERMS["rates"] * 2},
    ],
)
async def test_terms_that_mean_nothing_are_refused(house: House, company: str, wrong: dict[str, Any]) -> None:
    assert (await house.put(company, "/late-interest", TERMS | wrong)).status_code == 422


async def test_only_administrators_choose_terms(house: House, company: str) -> None:
    token = house.token(company, role="user")
    answer = await house.http.put(f"/companies/{company}/late-interest", json=TERMS, headers=token)
    assert answer.status_code == 403
