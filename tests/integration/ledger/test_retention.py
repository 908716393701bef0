"""How long a company keeps contents, holds, and files of debtors that end by themselves (rule 22.34)."""

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from chassis import clock
from chassis.database import transaction
from tests.integration.ledger.conftest import House, Voice, synced

PERIODS = {"messages": 60, "answers": 60, "reports": 12, "files": 60, "archive": 120}


async def book(voice: Voice, house: House, company: str, *clients: str) -> None:
    await house.put(company, "", {"name": "Ateliers Delcourt"})
    heard = await voice.run(company, [synced(f"F-{one}", one, "100") for one in clients])
    await house.get(company, "/client", heard, client_id=clients[0])
    async with transaction(house.process.engine, company) as tx:
        for one in clients:
            await tx.execute(
                text(
                    "insert into dispute_file (company, file_id, client_id, dispute_id, file_name, media_type,"
                    " content) values (:c, :file, :client, :dispute, 'photo.png', 'image/png', 'x')"
                ),
                {"c": company, "file": uuid4(), "client": one, "dispute": uuid4()},
            )


async def files(house: House, company: str) -> list[str]:
    async with transaction(house.process.engine, company) as tx:
        found = text("select client_id from dispute_file where company = :c order by client_id")
        return list(await tx.scalars(found, {"c": company}))


async def test_periods_are_those_of_the_law_until_a_company_chooses(house: House, company: str) -> None:
    told = await house.get(company, "/retention")
    assert told["periods"] == told["delivered"] == PERIODS
    wanted = PERIODS | {"reports": 3, "files": None}
    assert (await house.put(company, "/retention", wanted)).json()["position"]
    assert (await house.put(company, "/retention", wanted)).json()["position"] is None, "nothing changed"
    assert (await house.get(company, "/retention"))["periods"] == wanted
    (said,) = [body for name, body in await house.said(company) if name == "RetentionChosen"]
    assert (said["reports"], said["files"]) == (3, None)


async def test_periods_that_make_no_sense_are_refused(house: House, company: str) -> None:
    for wrong, code in (({"archive": 59}, "archive-shorter"), ({"messages": None}, "archive-shorter")):
        refused = await house.put(company, "/retention", PERIODS | wrong)
        assert (refused.status_code, refused.json()["type"]) == (422, code)
    assert (await house.put(company, "/retention", PERIODS | {"files": 0})).status_code == 422


async def test_files_end_with_the_day_that_comes_but_not_of_whoever_is_held_or_contests(
    voice: Voice, house: House, company: str
) -> None:
    """The eve and the day."""
    await book(voice, house, company, "C1", "C2", "C3")
    assert (await house.post(company, "/hold-contents", {"client_id": "C2"})).json()["position"]
    assert (await house.post(company, "/hold-contents", {"client_id": "C2"})).json()["position"] is None
    disputed = await house.post(company, "/open-dispute", {"client_id": "C3", "reason": "price"})
    assert disputed.status_code == 200, disputed.text
    today = clock.today("Europe/Paris")
    eve, day = today + timedelta(days=5 * 365 - 10), today + timedelta(days=5 * 366 + 2)

    for on, left in ((eve, ["C1", "C2", "C3"]), (day, ["C2", "C3"])):
        answer = await house.post(company, "/day", {"as_of": str(on)})
        assert answer.status_code == 200, answer.text
        assert await files(house, company) == left
    said = [body for name, body in await house.said(company) if name == "FilesExpired"]
    assert said == [{"files": 1}]
    known = await house.get(company, "/retention")
    assert [one["client_id"] for one in known["holds"]] == ["C2"]

    await house.post(company, "/release-contents", {"client_id": "C2"})
    headers = house.token(company) | {"Relance-As-Of": str(day)}
    shown = await house.http.get(f"/companies/{company}/retention", headers=headers)
    assert shown.json()["due"] == {"files": 1}, "shown before it goes"
    await house.post(company, "/day", {"as_of": str(day)})
    assert await files(house, company) == ["C3"]


async def test_a_hold_is_for_a_client_that_is_there_and_by_administrators(
    voice: Voice, house: House, company: str
) -> None:
    unknown = await house.post(company, "/hold-contents", {"client_id": "NOBODY"})
    assert unknown.status_code == 404
    headers = house.token(company, role="user")
    for path in ("hold-contents", "release-contents"):
        answer = await house.http.post(f"/companies/{company}/{path}", json={"client_id": "C1"}, headers=headers)
        assert answer.status_code == 403
