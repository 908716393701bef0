"""Suivre: what came in, when the rest is expected, and entries moved to another day (rules 5.7, 16.2, 16.8)."""

from datetime import date

import pytest

from services.console.pages.forecast import day_of_week
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices, entry_id

PAGE = f"/c/{COMPANY}/forecast"
FIRST = f"{entry_id('FAC20114')}411MUNOZSA"
SECOND = f"{entry_id('FAC20131')}411MUNOZSA"


def moved_to(piece: str, day: str | None) -> tuple[str, str, dict[str, str | None]]:
    body = {"client_id": "411MUNOZSA", "entry_id": entry_id(piece), "expected_on": day}
    return ("ledger", "/reposition-entry", body)


async def test_receipts_tell_payments_from_credit_notes_and_automatic_from_manual(clerk: Person) -> None:
    """Rules 14.2, 16.2."""
    text = (await clerk.get(f"/c/{COMPANY}/receipts")).text
    rows = [row for row in text.split("<tr>") if "411MUNOZSA" in row]
    assert ["Avoir ou autre" in row for row in rows] == [False, False, True]
    assert ["Paiement automatique" in row for row in rows] == [False, True, False]
    assert "5 606,13 €" in text.replace("\xa0", " ")


async def test_ticked_entries_are_expected_on_another_day(clerk: Person, fakes: FakeServices) -> None:
    """Rule 5.7: and nobody's reminders are touched."""
    fakes.commands.clear()
    answer = await clerk.post(f"{PAGE}/move", on=PAGE, entry=[FIRST, SECOND, FIRST], expected_on="04/12/2026")
    assert fakes.commands == [moved_to("FAC20114", "2026-12-04"), moved_to("FAC20131", "2026-12-04")]
    shown = (await clerk.get(answer.headers["location"])).text
    assert "2 pièces sont attendues à une autre date" in shown


async def test_they_go_back_to_their_due_dates(clerk: Person, fakes: FakeServices) -> None:
    fakes.commands.clear()
    await clerk.post(f"{PAGE}/move", on=PAGE, entry=[FIRST], back="true")
    assert fakes.commands == [moved_to("FAC20114", None)]


async def test_without_a_day_nothing_moves(clerk: Person, fakes: FakeServices) -> None:
    fakes.commands.clear()
    answer = await clerk.post(f"{PAGE}/move", on=PAGE, entry=[FIRST], expected_on="bientôt")
    assert fakes.commands == []
    assert "Une date ou un montant ne se lit pas" in (await clerk.get(answer.headers["location"])).text


async def test_what_ledger_refuses_is_told(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/reposition-entry"] = {"type": "expected-in-the-past", "title": "…", "status": 409}
    answer = await clerk.post(f"{PAGE}/move", on=PAGE, entry=[FIRST], expected_on="2026-11-02")
    assert 'class="notice notice-stop' in (await clerk.get(answer.headers["location"])).text


async def test_who_may_not_act_sees_no_boxes(reader: Person, fakes: FakeServices) -> None:
    text = (await reader.get(PAGE)).text
    assert "FAC20114" in text
    assert 'name="entry"' not in text
    assert "data-drop" not in text
    assert (await reader.post(f"{PAGE}/move", on=f"/c/{COMPANY}/home", entry=[FIRST])).status_code == 403


@pytest.mark.parametrize(
    ("monday", "today", "dropped"),
    [
        (date(2026, 11, 30), date(2026, 11, 24), date(2026, 12, 4)),
        (date(2026, 11, 23), date(2026, 11, 26), date(2026, 11, 27)),
        (date(2026, 11, 23), date(2026, 11, 27), date(2026, 11, 27)),
        (date(2026, 11, 23), date(2026, 11, 28), date(2026, 11, 28)),
    ],
)
def test_an_entry_dropped_on_a_week_is_expected_on_its_friday_or_today(
    monday: date, today: date, dropped: date
) -> None:
    """Rule 16.8; the Saturday of the current week leaves no Friday ahead."""
    assert day_of_week(monday, today) == dropped


OBJECTIVES = f"{PAGE}/objectives"


async def test_objectives_are_saved_whole_and_months_out_of_sight_stay(clerk: Person, fakes: FakeServices) -> None:
    """Rule 16.9."""
    shown = (await clerk.get(OBJECTIVES)).text.replace("\xa0", " ")
    assert 'value="45 000,00"' in shown
    fakes.commands.clear()
    typed = {"title_0": "Budget", "amount_0_2026-11-01": "46 000,50", "amount_2_2026-12-01": "1000"}
    answer = await clerk.post(OBJECTIVES, on=OBJECTIVES, **typed)
    curves = [
        {
            "title": "Budget",
            "months": [
                {"month": "2025-01-01", "amount": "30000.00"},
                {"month": "2026-11-01", "amount": "46000.50"},
            ],
        },
        {"title": "Objectif 3", "months": [{"month": "2026-12-01", "amount": "1000"}]},
    ]
    assert fakes.commands == [("ledger", "/cash-objectives", {"curves": curves})]
    assert "Les objectifs sont enregistrés." in (await clerk.get(answer.headers["location"])).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount_1_2026-12-01": "beaucoup"}, "un montant ne se lit pas"),
        ({"amount_1_2026-12-01": "-5"}, "un montant ne se lit pas"),
        ({"title_0": "Budget", "title_1": "Budget"}, "deux courbes portent le même nom"),
    ],
)
async def test_objectives_that_cannot_be_read_come_back_as_typed(
    clerk: Person, fakes: FakeServices, typed: dict[str, str], said: str
) -> None:
    fakes.commands.clear()
    answer = await clerk.post(OBJECTIVES, on=OBJECTIVES, **typed)
    assert (answer.status_code, fakes.commands) == (422, [])
    assert said in answer.text
    assert all(f'value="{value}"' in answer.text for value in typed.values())


async def test_only_administrators_save_objectives(reader: Person, fakes: FakeServices) -> None:
    """Rule 15.3."""
    fakes.commands.clear()
    assert "Enregistrer" not in (await reader.get(OBJECTIVES)).text
    answer = await reader.post(OBJECTIVES, on=f"/c/{COMPANY}/home", title_0="Budget")
    assert (answer.status_code, fakes.commands) == (403, [])
