"""The daily report: wanted and stopped by each person, sent once, about what that person sees (rule 15.4)."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from chassis.auth import verify
from chassis.database import transaction
from services.console import cash_reports
from services.console.accounts import set_portfolio
from services.console.cash_reports import Wanted, send_due
from services.console.gateway import ServiceSilent
from services.console.visits import Console
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/cash-report"
FORM = {"on": PAGE}
BEFORE = datetime(2026, 11, 24, 5, 59, tzinfo=UTC)
"""One minute to seven in Paris."""
AT_SEVEN = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


class Ended(BaseException):
    """The process did: nothing that is meant for failures handles it."""


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


@pytest.mark.parametrize(
    ("failure", "words"),
    [(httpx.ReadTimeout, "peut-être parti"), (httpx.ConnectError, "Le service d’envoi ne répondait pas.")],
)
async def test_without_an_answer_the_same_report_is_asked_for_again(
    reader: Person, console: Console, fakes: FakeServices, failure: type[httpx.HTTPError], words: str
) -> None:
    """By its number, so that what left the first time does not leave twice; and whether it may have is told."""
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    fakes.fails["/cash-report"] = failure
    for _ in range(6):
        assert await send_due(console, AT_SEVEN) == 0
    assert len([one for one in fakes.asked if one[1] == "/cash-report"]) == 4
    page = (await reader.get(PAGE)).text
    assert words in page
    assert ("Le dernier n’est pas parti" in page) is (failure is httpx.ConnectError)


async def test_a_report_whose_answer_was_lost_keeps_its_number(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    fakes.commands.clear()
    fakes.fails["/cash-report"] = httpx.ReadError
    assert await send_due(console, AT_SEVEN) == 0
    fakes.silent.add("reporting")
    assert await send_due(console, AT_SEVEN) == 0
    assert "peut-être parti" in (await reader.get(PAGE)).text, "whatever keeps it from being asked for again"
    fakes.silent.discard("reporting")
    del fakes.fails["/cash-report"]
    assert await send_due(console, AT_SEVEN) == 1
    assert await send_due(console, datetime(2026, 11, 25, 9, 0, tzinfo=UTC)) == 1
    assert "peut-être" not in (await reader.get(PAGE)).text
    numbers = [one["report_id"] for one in reports(fakes)]
    assert len(set(numbers)) == 2, numbers
    assert numbers[-2] != numbers[-1], "each day has its own"


async def test_a_console_that_died_while_it_asked_holds_the_report_for_a_while(
    reader: Person, console: Console, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")

    async def dies(*_: Any) -> None:
        raise Ended

    monkeypatch.setattr(cash_reports, "send", dies)
    with pytest.raises(Ended):
        await send_due(console, AT_SEVEN)
    monkeypatch.undo()
    assert await send_due(console, AT_SEVEN) == 0, "it may be at work"
    async with transaction(console.engine) as tx:
        await tx.execute(text("update cash_report set claimed_until = now() - interval '1 second'"))
    assert await send_due(console, AT_SEVEN) == 1


async def test_what_another_console_sent_meanwhile_has_not_failed(
    reader: Person, console: Console, fakes: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A console that was held up for longer than its claim lasts comes back last and knows least."""
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")

    async def held_up(*_: Any) -> None:
        monkeypatch.undo()
        async with transaction(console.engine) as tx:
            await tx.execute(text("update cash_report set claimed_until = now() - interval '1 second'"))
        assert await send_due(console, AT_SEVEN) == 1
        raise ServiceSilent("notify", "the answer was lost")

    monkeypatch.setattr(cash_reports, "send", held_up)
    assert await send_due(console, AT_SEVEN) == 0
    page = (await reader.get(PAGE)).text
    assert "24/11/2026" in page
    assert "Le dernier n’est pas parti" not in page


async def test_what_a_service_refuses_is_not_told_as_silence(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    """A key or a password that cannot be read does not mend itself: whoever reads of silence waits in vain."""
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    fakes.refuse["/cash-report"] = {"type": "secret-unreadable", "status": 409}
    assert await send_due(console, AT_SEVEN) == 0
    page = (await reader.get(PAGE)).text
    assert "ne se lit plus" in page
    assert "ne répondait pas" not in page


async def test_what_the_mail_server_may_have_taken_is_not_sent_again(
    reader: Person, console: Console, fakes: FakeServices
) -> None:
    await forget(console)
    await reader.post(PAGE, **FORM, hour="7")
    for day, state, times, told in (
        (24, "in_doubt", 1, "peut-être parti"),
        (25, "stayed", 4, "Le dernier n’est pas parti"),
        (26, "under_way", 4, "peut-être parti"),
    ):
        fakes.asked.clear()
        fakes.reported = {"state": state, "words": "the connection was lost"}
        for _ in range(6):
            assert await send_due(console, datetime(2026, 11, day, 9, 0, tzinfo=UTC)) == 0
        assert len([one for one in fakes.asked if one[1] == "/cash-report"]) == times
        assert told in (await reader.get(PAGE)).text


async def test_one_persons_report_that_fails_in_a_way_nobody_foresaw_stops_no_others(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    await forget(console)
    everybody = "insert into cash_report (company, account_id, hour) select company, account_id, 7 from membership"
    async with transaction(console.engine) as tx:
        await tx.execute(text(f"{everybody} where company = :company"), {"company": COMPANY})
    tried: list[str] = []

    async def fails_for_the_first(console: Console, one: Wanted, day: date, number: UUID) -> None:
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
    wish = str(uuid4())
    assert 'name="wish"' in (await reader.get(PAGE)).text
    answer = await reader.post(f"{PAGE}/now", **FORM, wish=wish)
    assert [one["to"] for one in reports(fakes)] == ["lecteur@delcourt.example"]
    assert "Un exemplaire est parti" in (await reader.get(answer.headers["location"])).text
    await reader.post(f"{PAGE}/now", **FORM, wish=wish)
    await reader.post(f"{PAGE}/now", **FORM, wish=str(uuid4()))
    numbers = [one["report_id"] for one in reports(fakes)]
    assert numbers[0] == numbers[1] != numbers[2], "one report for each wish"
