"""Openings: told where the company chose and everybody agreed; machines apart from people (D5, rule 16.5)."""

from sqlalchemy import text

from chassis.database import transaction
from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import House, action, synced

OUTLOOK = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Microsoft Outlook 16.0"


async def test_opens_are_told_once_and_only_where_company_and_owner_chose_so(  # noqa: PLR0915 - one long story
    house: House, company: str, settings: NotifySettings
) -> None:
    for name, value in (("public_url", "http://notify"), ("pixel_secret", "s3cret")):
        setattr(settings, name, value)
    clients = ("C1", "C2", "TWO-READERS")
    invoices = {one: synced(f"F-{one}", one, "10") for one in clients}
    heard = await house.voices.book(company, invoices.values())
    house.people.emails["TWO-READERS"] = ["a@c3.example", "b@c3.example"]
    assert (await house.call(company, "PUT", "/sender", json={"track_opens": True})).status_code == 200

    async def agrees(client_id: str, email: str, given: bool = True) -> int:
        body = {"client_id": client_id, "email": email, "given": given}
        return (await house.call(company, "PUT", "/opens-consents", json=body)).status_code

    await house.get(company, "/opens-consents", heard, client_id="C2")
    assert await agrees("C2", f" C2@{company}.example ") == 200
    assert await agrees("TWO-READERS", "a@c3.example") == 200
    assert (await house.get(company, "/opens-consents", client_id="TWO-READERS")) == {
        "tracked": True,
        "emails": ["a@c3.example"],
    }
    assert await agrees("C9", "x@y.example") == 404
    assert await agrees("C2", "nobody") == 422
    reader = house.token(company, role="reader")
    body = {"client_id": "C2", "email": "x@y.example", "given": True}
    refused = await house.call(company, "PUT", "/opens-consents", json=body, headers=reader)
    assert refused.status_code == 403

    actions = {one: action(company, one, [invoices[one]]) for one in clients}
    await house.voices.due(company, *actions.values())
    await house.until_said(company, "EmailSent", 3)

    def html(address: str) -> str:
        (mail,) = house.mails.to(address)
        found = house.mails.store.read(mail.id)
        assert found is not None
        return found.html

    # one who agreed is not enough where two get the same message
    assert ["/o/" in html(one) for one in (f"c1@{company}.example", "a@c3.example")] == [False, False]
    link = html(f"c2@{company}.example").partition('<img src="')[2].partition('"')[0]

    async def loaded(agent: str) -> None:
        answer = await house.http.get(link, headers={"User-Agent": agent})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")

    for _ in range(2):
        await loaded(OUTLOOK)  # a second after it was sent
        await loaded("GoogleImageProxy")
    assert (await house.http.get("http://notify/o/forged.gif")).status_code == 200
    told = [(one["by_machine"], one["machine"]) for one in await house.said(company, "EmailOpened")]
    assert told == [(True, "too_soon")]
    (message,) = (await house.get(company, "/messages", client_id="C2"))["messages"]
    assert (message["opened_at"], message["fetched_at"] is not None) == (None, True)

    async with transaction(house.process.engine) as tx:
        earlier = text("update outcome set at = at - interval '1 minute' where company = :company")
        await tx.execute(earlier, {"company": company})
    # who takes the agreement back is not told on by what was sent before
    said = []
    for given in (False, True, True, False):
        assert await agrees("C2", f"c2@{company}.example", given=given) == 200
        await loaded(OUTLOOK)
        said.append(len(await house.said(company, "EmailOpened")))
    assert (said, (await house.get(company, "/opens-consents", client_id="C2"))["emails"]) == ([1, 2, 2, 2], [])
    await loaded("GoogleImageProxy")
    opened = await house.said(company, "EmailOpened")
    assert [one["action_id"] for one in opened] == [str(actions["C2"].action_id)] * 2
    assert [(one["by_machine"], one["machine"]) for one in opened] == [(True, "too_soon"), (None, None)]
    (message,) = (await house.get(company, "/messages", client_id="C2"))["messages"]
    assert message["opened_at"] is not None
