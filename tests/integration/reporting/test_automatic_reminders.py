"""With or without automatic reminder: what the lists filter by and the statement shows (rules 22.13, 22.28)."""

from datetime import date, timedelta
from decimal import Decimal

from contracts.dunning import ActionProposed, AutomaticChoice, AutomaticChosen, PolicyChanged
from contracts.ledger import CompanyRegistered
from tests.integration.reporting.conftest import DAY, House, Voices
from tests.integration.reporting.test_pages import Book, action, entry_id, line

FROM = date(2026, 9, 15)
"""The activation day."""
MONTH = timedelta(days=30)


def chosen(client_id: str, automatic: bool | None, *names: str) -> AutomaticChosen:
    entries = tuple(AutomaticChoice(entry_id=entry_id(name), automatic=automatic) for name in names)
    return AutomaticChosen(client_id=client_id, entries=entries)


async def listed(house: House, book: Book, automatic: str | None, path: str = "/who-owes-what") -> list[str]:
    asked = {"automatic": automatic} if automatic else {}
    found = await house.get(book.company, path, book.heard, sort="name", **asked)
    return [row["client_id"] for row in found["rows"]]


async def test_the_activation_day_and_what_people_chose_tell_with_from_without(
    house: House, voices: Voices, company: str
) -> None:
    """The eve, the day and the day after; opted in before it, opted out after it; credits have no say."""
    book = Book(company, voices)
    await book.say(CompanyRegistered(name="Ateliers Delcourt"))
    await book.sync(
        line("EVE", "411EVE", "100.00", FROM - timedelta(days=1) + MONTH),
        line("DAY", "411DAY", "200.00", FROM + MONTH),
        line("AFTER", "411AFTER", "300.00", FROM + timedelta(days=1) + MONTH),
        line("OLD", "411MIXED", "400.00", FROM - MONTH),
        line("NEW", "411MIXED", "500.00", FROM + MONTH),
        line("CREDIT", "411EVE", "-10.00", FROM + MONTH),
    )
    everybody = ["411AFTER", "411DAY", "411EVE", "411MIXED"]
    await book.say(PolicyChanged(version=1))
    assert await listed(house, book, "true") == []
    assert await listed(house, book, "false") == everybody

    await book.say(chosen("411EVE", True, "EVE"))  # before the company switched anything on
    assert await listed(house, book, "true") == ["411EVE"]

    await book.say(chosen("411EVE", None, "EVE"), PolicyChanged(version=2, automatic_from=FROM))
    assert await listed(house, book, "true") == ["411AFTER", "411DAY", "411MIXED"]
    assert await listed(house, book, "false", "/clients") == ["411EVE"]

    await book.say(chosen("411MIXED", False, "NEW"), chosen("411MIXED", True, "OLD"))
    statement = (await house.get(book.company, "/client", book.heard, client_id="411MIXED"))["statement"]
    shown = {one["piece"]: (one["automatic"], one["leaves_by_itself"]) for one in statement["entries"]}
    assert shown == {"OLD": (True, True), "NEW": (False, False)}
    await book.say(chosen("411MIXED", False, "OLD"))
    assert await listed(house, book, "true") == ["411AFTER", "411DAY"]


async def test_due_items_are_those_with_or_those_without(house: House, voices: Voices, company: str) -> None:
    """Rule 16.3: every entry that is to be reminded. One message may hold both (rule 22.28): the filter speaks of
    its entries.
    """
    book = Book(company, voices)
    await book.say(CompanyRegistered(name="Ateliers Delcourt"))
    await book.sync(line("OLD", "411MIXED", "400.00", FROM), line("NEW", "411MIXED", "500.00", FROM + MONTH))
    await book.say(
        PolicyChanged(version=1, automatic_from=FROM),
        ActionProposed(action=action("411MIXED", "R1", "email", "450.00", "OLD", "NEW")),
    )

    async def pieces(**asked: str) -> list[str]:
        found = await house.get(book.company, "/due-items", book.heard, **asked)
        assert found["count"] == len(found["rows"])
        return sorted(row["piece"] for row in found["rows"])

    assert await pieces() == ["NEW", "OLD"]
    assert await pieces(automatic="true") == ["NEW"]
    assert await pieces(automatic="false") == ["OLD"]
    await book.say(chosen("411MIXED", True, "OLD"))
    assert await pieces(automatic="true") == ["NEW", "OLD"]
    answer = await house.ask(book.company, "/due-items", book.heard, format="csv", automatic="true")
    heading, *rows = answer.content.decode("utf-8-sig").splitlines()
    place = heading.split(";").index("Relance automatique")
    assert {row.split(";")[place] for row in rows} == {"oui"}
    assert DAY.strftime("%Y") in answer.headers["content-disposition"]
    assert Decimal(rows[0].split(";")[-2].replace(",", "."))
