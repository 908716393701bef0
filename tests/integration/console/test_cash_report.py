"""The daily report: wanted and stopped by each person, sent once, about what that person sees (rule 15.4)."""

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from chassis.auth import verify
from chassis.database import transaction
from services.console import cash_reports
from services.console.accounts import set_portfolio
from services.console.cash_reports import Wanted, send_due
from services.console.visits import Console
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/cash-report"
FORM = {"on": PAGE}
BEFORE = datetime(2026, 11, 24, 5, 59, tzinfo=UTC)
"""One minute to seven in Paris."""
AT_SEVEN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def reports(fakes: FakeServices) -> list[dict[str, Any]]:
    return [body for service, path, body in fakes.commands if (service, path) == ("notify", "/cash-report")]


async def forget(console: Console) -> None:
    async with transaction(console.engine) as tx:
        await tx.execute(text("delete from cash_report"))


async def test_a_reader_wants_it_gets_it_once_a_day_and_stops_it(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    """Rules 15.3, 15.4: reading is for all."""
    await forget(console)
    answer = await reader.post(PAGE, **FORM, hour="7")
    assert "chaque jour ouvré" in (await reader.get(answer.headers["location"])).text
    fakes.commands.clear()
    assert await send_due(console, BEFORE) == 0
    assert await send_due(console, AT_SEVEN) == 1
    assert await send_due(console, AT_SEVEN) == 0, "once a day"
    (report,) = reports(fakes)
    assert (report["to"], report["as_of"], report["done_since"]) == (
        "lecteur@delcourt.example",
        "2026-11-24",
        "2026-11-23",
    )
    assert (report["currency"], report["tasks"]["phone"] >= 0, len(report["top"]) <= 10) == ("EUR", True, True)
    assert "24/11/2026" in (await reader.get(PAGE)).text

    await reader.post(PAGE, **FORM, stop="true")
    assert await send_due(console, datetime(2026, 11, 25, 9, 0, tzinfo=UTC)) == 0


async def test_what_fails_is_tried_again_a_few_times_and_told(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    fakes.silent.add("reporting")
    for _ in range(6):
        assert await send_due(console, AT_SEVEN) == 0
    asked = [one for one in fakes.asked if one[1] == "/home"]
    fakes.silent.discard("reporting")
    assert len(asked) == 4, "and then not any more that day"
    assert await send_due(console, AT_SEVEN) == 0
    assert "Le service des chiffres ne répondait pas." in (await reader.get(PAGE)).text
    assert await send_due(console, datetime(2026, 11, 25, 9, 0, tzinfo=UTC)) == 1, "the next day"
    assert "ne répondait pas" not in (await reader.get(PAGE)).text


@pytest.mark.parametrize(("failure", "times"), [(httpx.ReadTimeout, 1), (httpx.ConnectError, 4)])
async def test_what_may_have_left_is_not_sent_again(
    reader: Person, console: Console, fakes: FakeServices, failure: type[httpx.HTTPError], times: int
) -> None:
    """A mail server may be slower than we are patient: a second report would follow the one on its way."""
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    fakes.fails["/cash-report"] = failure
    for _ in range(6):
        assert await send_due(console, AT_SEVEN) == 0
    assert len([one for one in fakes.asked if one[1] == "/cash-report"]) == times
    assert "Le service d’envoi ne répondait pas." in (await reader.get(PAGE)).text


async def test_what_the_mail_server_may_have_taken_is_not_sent_again(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    for again, times in ((False, 1), (True, 4)):
        fakes.asked.clear()
        fakes.reported = {"ok": False, "again": again, "words": "the connection was lost"}
        for _ in range(6):
            await send_due(console, AT_SEVEN if not again else datetime(2026, 11, 25, 9, 0, tzinfo=UTC))
        assert len([one for one in fakes.asked if one[1] == "/cash-report"]) == times


async def test_one_persons_report_that_fails_in_a_way_nobody_foresaw_stops_no_others(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await forget(console)
    everybody = "insert into cash_report (company, account_id, hour) select company, account_id, 7 from membership"
    async with transaction(console.engine) as tx:
        await tx.execute(text(f"{everybody} where company = :company"), {"company": COMPANY})
    tried: list[str] = []

    async def fails_for_the_first(console: Console, one: Wanted, day: date) -> None:
        tried.append(one.email)
        if len(tried) == 1:
            raise KeyError("a figure")

    monkeypatch.setattr(cash_reports, "send", fails_for_the_first)
    sent = await send_due(console, AT_SEVEN)
    assert (sent, len(set(tried))) == (len(tried) - 1, len(tried))
    assert sent > 0


async def test_it_tells_of_the_clients_that_the_person_sees(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    """Rules 15.2, 15.4: and the mail itself is asked for by the console, which no person's token could."""
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    async with transaction(console.engine) as tx:
        await set_portfolio(tx, COMPANY, "lecteur@delcourt.example", ["DURANT"])
    fakes.headers.clear()
    fakes.asked.clear()
    assert await send_due(console, AT_SEVEN) == 1
    async with transaction(console.engine) as tx:
        await set_portfolio(tx, COMPANY, "lecteur@delcourt.example", None)
    callers = [
        (service, verify(one["authorization"].removeprefix("Bearer "), console.gateway.key))
        for (service, path, _), one in zip(fakes.asked, fakes.headers, strict=True)
        if path in {"/home", "/cash-report"}
    ]
    told = {service: (who.role, who.portfolio) for service, who in callers}
    assert told == {"reporting": ("reader", ("DURANT",)), "notify": ("system", None)}


async def test_a_copy_leaves_at_once(reader: Person, console: Console, fakes: FakeServices) -> None:
    fakes.commands.clear()
    answer = await reader.post(f"{PAGE}/now", **FORM)
    assert [one["to"] for one in reports(fakes)] == ["lecteur@delcourt.example"]
    assert "Un exemplaire est parti" in (await reader.get(answer.headers["location"])).text
