"""D9 on the pages: what comes between decision and sending withdraws the message, and its reason is shown."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, expect

from cli.demo import LOGIN, create_person
from cli.demo_book import COMPANY, HEADER
from cli.main_job import import_file
from cli.pictures import sign_in
from cli.trial import Trial
from tests.waiting import asked_until

DAY = date(2026, 11, 24)
CLIENTS = ("PAYEUR", "STOP", "PROMESSE", "LITIGE", "DEBITEUR")
LEAST_SECONDS = 60
SHOWN = {
    "PAYEUR": "Pièce réglée entre-temps",
    "STOP": "Client à ne pas relancer",
    "PROMESSE": "Promesse reçue depuis la décision",
    "LITIGE": "Litige ouvert depuis la décision",
}


@dataclass
class Running:
    trial: Trial
    folder: Path
    password: str

    @property
    def url(self) -> str:
        return f"{self.trial.stack.url('console')}/c/{COMPANY}"


def book(folder: Path, paid: tuple[str, ...] = ()) -> Path:
    """A FEC with an invoice of September for each client; for those that paid its payment and the lettering."""
    lines = [HEADER]

    def booking(day: str, ours: str, piece: str, code: str) -> None:
        """The customer's line and its counterpart."""
        is_sale = piece.startswith("F")
        head = (*(("VE", "Ventes") if is_sale else ("BQ", "Banque")), f"E{piece}", day)
        sides = ("1200,00", "0,00") if is_sale else ("0,00", "1200,00")
        letters = (code, day if code else "")
        customer = ("41100000", "Clients", ours, f"Société {ours}")
        lines.append((*head, *customer, piece, day, "Lot 2", *sides, *letters, day, "", ""))
        lines.append((*head, "70600000", "Autre", "", "", piece, day, "Lot 2", *sides[::-1], "", "", day, "", ""))

    for number, client in enumerate(CLIENTS):
        code = "A" if client in paid else ""
        booking("20260901", client, f"F{number}", code)
        if code:
            booking("20261123", client, f"R{number}", code)
    file = folder / "900000001FEC20261231.txt"
    file.write_text("".join("\t".join(line) + "\r\n" for line in lines), encoding="utf-8", newline="")
    return file


def behave(trial: Trial, **how: Any) -> None:
    """Tell the mail server how to behave."""
    request = urllib.request.Request(
        f"{trial.sink.url}/api/behaviour",
        json.dumps(how).encode(),
        {"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).close()


HEARD = """
    select (select count(*) from notify.promise where company = %(company)s)
        + (select count(*) from notify.dispute where company = %(company)s)
        + (select count(*) from notify.client where company = %(company)s and stopped)
        + (select count(*) from notify.entry where company = %(company)s and lettering is not null)
"""
FACTS = 5
"""A promise, a dispute, a stop, and the two lines of a payment."""


def wait_until_notify_heard(trial: Trial) -> None:
    with psycopg.connect(trial.dsn, autocommit=True) as connection:
        heard = asked_until(
            lambda found: found == (FACTS,),
            lambda: connection.execute(HEARD, {"company": COMPANY}).fetchone(),
            LEAST_SECONDS,
        )
    assert heard == (FACTS,), "notify did not hear of what happened"


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, ready: Callable[[str], Path], front_end: None
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("look")
    with Trial(ready("data"), as_of=DAY) as trial:
        road = trial.road(COMPANY, DAY)
        road.register("Ateliers Delcourt")
        imported = import_file(road, book(folder), "example.org")
        road.round(DAY, imported["positions"])
        road.close()
        yield Running(trial, folder, create_person(trial))


def test_a_payment_a_stop_a_promise_and_a_dispute_withdraw_their_messages(
    running: Running, browser: Browser
) -> None:
    trial = running.trial
    behave(trial, refuse_connections=True)
    page = browser.new_page(locale="fr-FR", viewport={"width": 1440, "height": 1000})
    sign_in(page, trial.stack.url("console"), LOGIN, running.password)
    page.goto(f"{running.url}/act?medium=email")
    page.locator(".confirm-bar button").click()
    page.get_by_role("dialog").get_by_role("button", name="Envoyer").click()
    progress = page.locator("[role=status]")
    expect(progress).to_be_visible(timeout=30_000)

    road = trial.road(COMPANY, DAY)
    assert road.sending(DAY)["waiting"] == len(CLIENTS), "the mail server is away"
    promised = road.statement("PROMESSE")[0]["entry_id"]
    road.tell("stop-client", client_id="STOP")
    road.tell("record-promise", client_id="PROMESSE", entry_id=promised, amount="1200", promised_on="2026-12-01")
    road.tell("open-dispute", client_id="LITIGE", reason="price")
    import_file(road, book(running.folder, paid=("PAYEUR",)), "example.org")
    wait_until_notify_heard(trial)
    behave(trial)
    told = asked_until(lambda found: found["finished"], lambda: road.sending(DAY), LEAST_SECONDS)
    road.close()
    assert (told["total"], told["sent"], told["withheld"]) == (5, 1, 4), told
    mails = trial.sink.counts()
    assert mails["count"] == 1

    page.goto(f"{running.url}/act?medium=email")
    for client, reason in SHOWN.items():
        expect(page.locator("[role=status]")).to_contain_text(f"Société {client}")
        expect(page.locator("[role=status]")).to_contain_text(reason)
    page.goto(f"{running.url}/activities?medium=email")
    for client, reason in SHOWN.items():
        row = page.locator("tbody tr", has_text=f"Société {client}").first
        expect(row).to_contain_text(reason)
    page.close()
