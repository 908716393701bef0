"""A token of one company neither reads nor commands another; row-level security backs it up."""

import pytest
from sqlalchemy import text

from chassis.database import transaction
from services.ledger.tables import metadata
from tests.integration.ledger.conftest import House, Voice, entry_id, synced


async def test_a_token_of_another_company_finds_nothing(voice: Voice, house: House, company: str) -> None:
    heard = await voice.run(company, [synced("I1", "C1", "10")])
    await house.get(company, "/client", heard=heard, client_id="C1")
    stranger = house.token("another")
    before = await house.said(company)
    for method, path, body in [
        ("GET", "/client?client_id=C1", None),
        ("GET", "/statement?client_id=C1", None),
        ("GET", "/lettering-errors", None),
        ("GET", "", None),
        ("PUT", "", {"name": "Mine now"}),
        ("POST", "/stop-client", {"client_id": "C1"}),
        ("POST", "/people", {"source": "x", "clients": [{"client_id": "C1", "name": "x"}]}),
        ("POST", "/people/query", {}),
        ("POST", "/record-promise", {"client_id": "C1", "entry_id": entry_id("I1")}),
    ]:
        answer = await house.http.request(method, f"/companies/{company}{path}", json=body, headers=stranger)
        assert (answer.status_code, answer.json()["type"]) == (404, "company-unknown"), path
    assert (await house.http.get(f"/companies/{company}")).status_code == 401
    listed = await house.http.get("/companies", headers=stranger)
    assert company not in str(listed.json())
    assert await house.said(company) == before


async def test_who_may_only_read_commands_nothing(house: House, company: str) -> None:
    reader = house.token(company, role="reader")
    answer = await house.http.post(f"/companies/{company}/stop-client", json={"client_id": "C1"}, headers=reader)
    assert answer.status_code == 403
    user = house.token(company, role="user")
    answer = await house.http.post(
        f"/companies/{company}/assign-profile", json={"client_id": "C1", "profile": "x"}, headers=user
    )
    assert answer.status_code == 403, "only administrators assign profiles (rule 3.2)"


@pytest.mark.parametrize("table", sorted(metadata.tables))
async def test_the_api_role_sees_one_company_in_every_table(
    voice: Voice, house: House, company: str, table: str
) -> None:
    await voice.run(company, [synced("I1", "C1", "10")])
    seen = text(f"select count(*) from {table} where company <> :company")
    async with transaction(house.process.api_engine, company) as tx:
        assert await tx.scalar(seen, {"company": company}) == 0
