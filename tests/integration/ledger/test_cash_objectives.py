"""What a company wants to come in, month by month (rule 16.9)."""

from typing import Any

import pytest

from chassis.auth import mint, read_key
from tests.integration.ledger.conftest import House

NOVEMBER = {"month": "2026-11-01", "amount": "45000.00"}
DECEMBER = {"month": "2026-12-01", "amount": "50000.00"}
BUDGET: dict[str, Any] = {"title": "Budget", "months": [DECEMBER, NOVEMBER]}


async def test_objectives_are_said_whole_once_in_the_order_of_months(house: House, company: str) -> None:
    """Rule 16.9: and a month without an amount is none."""
    assert await house.get(company, "/cash-objectives") == {"curves": []}
    wanted = {"curves": [BUDGET, {"title": "Prudent", "months": [{**NOVEMBER, "amount": "0"}]}]}
    assert (await house.put(company, "/cash-objectives", wanted)).json()["position"]
    assert (await house.put(company, "/cash-objectives", wanted)).json()["position"] is None, "nothing changed"
    curves = (await house.get(company, "/cash-objectives"))["curves"]
    assert [(one["title"], [month["month"] for month in one["months"]]) for one in curves] == [
        ("Budget", ["2026-11-01", "2026-12-01"]),
        ("Prudent", []),
    ]
    (said,) = [body for name, body in await house.said(company) if name == "CashObjectivesChosen"]
    assert [one["title"] for one in said["curves"]] == ["Budget", "Prudent"]


@pytest.mark.parametrize(
    "curves",
    [
        [BUDGET, BUDGET],
        [{**BUDGET, "title": name} for name in "ABCD"],
        [{**BUDGET, "title": " "}],
        [{**BUDGET, "months": [NOVEMBER, NOVEMBER]}],
        [{**BUDGET, "months": [{**NOVEMBER, "month": "2026-11-02"}]}],
        [{**BUDGET, "months": [{**NOVEMBER, "amount": "-1"}]}],
    ],
)
async def test_what_are_no_objectives_is_refused(house: House, company: str, curves: list[Any]) -> None:
    assert (await house.put(company, "/cash-objectives", {"curves": curves})).status_code == 422


async def test_only_administrators_choose_them(house: House, company: str) -> None:
    """Rule 15.3."""
    token = house.token(company, role="user")
    answer = await house.http.put(
        f"/companies/{company}/cash-objectives", json={"curves": [BUDGET]}, headers=token
    )
    assert answer.status_code == 403


async def test_who_sees_some_clients_is_not_told_what_the_whole_company_wants(house: House, company: str) -> None:
    """Rule 15.2: the forecast of such a person shows no objectives either."""
    key = read_key(house.stack.private_key_file)
    token = mint(key, "user:bob", [company], "admin", portfolio=["DUPONT"])
    answer = await house.http.get(
        f"/companies/{company}/cash-objectives", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 403, answer.text
