"""``relance demo``: a company to look around in, with a past, today's tasks and a mail server of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from chassis import clock
from cli import demo_book
from cli.demo_book import COMPANY, COMPANY_NAME, DemoBook, DemoClient
from cli.main_job import carry_out_emails, import_file, wait_sent
from cli.places import ROOT
from cli.road import Json, Road, email_actions
from cli.stack import Report, pss_megabytes
from cli.trial import Trial

Heard = dict[str, dict[int, int]]
"""``{speaker: {partition: number}}``."""

LOGIN = "demo@example.org"
PERSON = "Nathalie Ferrand"
SENDER = {
    "name": PERSON,
    "email": "comptabilite@delcourt.example",
    "phone": "03 87 00 00 12",
    "company_address": "14 rue des Forges\n57000 Metz",
    "bank_details": "IBAN FR76 3000 4000 0312 3456 7890 143, BIC BNPAFRPP",
    "footer": "Ateliers Delcourt SAS, 14 rue des Forges, 57000 Metz. En cas de retard : pénalités au taux de trois"
    " fois l’intérêt légal et indemnité forfaitaire de 40 € par facture (art. L441-10 du code de commerce).",
}
PAST_DAYS = (24, 16, 8)
"""Days before today on which the demonstration company already reminded its clients."""


LETTERS_AT_ONCE = 20
"""So many are made while the caller waits."""
DISPUTES = ("price", "delivery", "invoice_not_received", "credit_note_expected")
CONTACTS = (
    ("Claire Vidal", "Comptabilité fournisseurs"),
    ("Marc Perrin", "Direction"),
    ("Sonia Lebrun", "Achats"),
    ("Yann Le Goff", "Trésorerie"),
    ("Inès Carlier", "Comptabilité fournisseurs"),
)
"""Invented people besides the main contact; without an address, so that every mail still goes to the main one."""
NOTES = (
    "Mme Roy confirme le virement pour la fin de la semaine.",
    "Facture reçue en double, un avoir est demandé à l’atelier.",
    "Nouveau comptable, à rappeler le matin.",
)


class Demonstration:
    """The demonstration company on a running trial."""

    def __init__(self, trial: Trial, as_of: date, report: Report) -> None:
        self.trial = trial
        self.as_of = as_of
        self.book: DemoBook = demo_book.book(as_of)
        self.report = report

    def prepare(self) -> None:
        """Give the company its past and today's tasks."""
        self._set_policy()
        for days in PAST_DAYS:
            day = self.as_of - timedelta(days=days)
            self.report(f"what the company did on {day:%d/%m/%Y}")
            self._live_through(day)
        self.take_in_today()

    def take_in_today(self) -> None:
        """Today's books, what people said, and the tasks."""
        self.report("today's books and tasks")
        road = self._road(self.as_of)
        _, after = self._take_in(road, self.as_of)
        road.wait_until_ledger_heard(after)
        said = self._state_facts(road)
        road.round(self.as_of, furthest(after, said))
        road.close()

    def _set_policy(self) -> None:
        road = self._road(self.as_of)
        road.register(COMPANY_NAME)
        road.set_policy({"promises_exclude": True, "minimum_per_entry": "15.00"})
        road.set_sender(SENDER)
        road.close()

    def check(self) -> Json:
        """The main job once: import, round, confirm every ticked e-mail, send; the figures of it."""
        road = self._road(self.as_of)
        before = self.trial.sink.counts()
        imported, after = self._take_in(road, self.as_of)
        road.round(self.as_of, after)
        outcome = carry_out_emails(road, self.as_of)
        counts = self.trial.sink.counts()
        road.close()
        return {
            "entries": imported["receivable_lines"],
            "clients": imported["clients"],
            "open_entries": imported["open_entries"],
            "actions": sum(outcome["steps"].values()),
            "steps": outcome["steps"],
            "mails_sent": outcome["sending"]["sent"],
            "mails_received": counts["count"] - before["count"],
            "distinct_mails": counts["distinct"] - before["distinct"],
        }

    def _live_through(self, day: date) -> None:
        """A day of the past: the books as they stood, the round, the mails, and most of the calls and letters."""
        road = self._road(day)
        _, after = self._take_in(road, day)
        road.round(day, after)
        tasks = road.tasks(day)
        emails = email_actions(tasks)
        others = [
            (row["action_id"], group["medium"])
            for group in tasks["groups"]
            if group["medium"] != "email"
            for row in group["rows"]
            if row["ticked"]
        ]
        done = others[: len(others) * 3 // 4]
        ids = [*emails, *(action_id for action_id, _ in done)]
        if ids:
            confirmed = set(road.confirm(ids, day)["confirmed"])
            wait_sent(road, day, len(confirmed.intersection(emails)))
            for action_id, medium in done:
                if action_id in confirmed and medium != "letter":
                    road.complete_task(action_id, "reached", "Règlement annoncé pour la semaine prochaine.")
            self._post_letters(road, [one for one, medium in done if medium == "letter" and one in confirmed])
        road.close()

    def _post_letters(self, road: Road, action_ids: list[str]) -> None:
        """Made and posted on the same day; so few at a time are made while we wait."""
        for start in range(0, len(action_ids), LETTERS_AT_ONCE):
            made = road.prepare_letters(action_ids[start : start + LETTERS_AT_ONCE])["prepared"]
            if made:
                road.letters_posted(made)

    def _take_in(self, road: Road, day: date) -> tuple[Json, Heard]:
        """The books of that day through the public import, and the people; the run, and what is to be heard."""
        road.register(COMPANY_NAME)
        closing = date(self.as_of.year, 12, 31)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / self.book.file_name(closing)
            file.write_bytes(self.book.fec(day))
            imported = import_file(road, file, None)
        handed = road.hand_people("demonstration", [_person(client) for client in self.book.clients])
        known = {
            speaker: {int(p): n for p, n in heard.items()} for speaker, heard in imported["positions"].items()
        }
        return imported, furthest(known, handed.get("positions", []))

    def _state_facts(self, road: Road) -> list[str]:
        """What people said of clients: profiles, stops, promises, notes; the positions of these facts."""
        owing = sorted({invoice.client.code for invoice in self.book.invoices})
        answers = [road.tell("assign-profile", client_id=code, profile="Grand Compte") for code in owing[3:40:9]]
        answers += [road.tell("assign-profile", client_id=code, profile="Export") for code in owing[5:90:11]]
        late = [(code, entry) for code in owing for entry in road.statement(code) if entry["days_late"] > 3]
        debits = [(code, entry) for code, entry in late if Decimal(entry["debit"]) > 0]
        for number, (code, entry) in enumerate(debits[2:60:7]):
            promise = {"client_id": code, "entry_id": entry["entry_id"], "amount": entry["debit"]}
            answers.append(
                road.tell("record-promise", **promise, promised_on=f"{self.as_of + timedelta(days=2 + number)}")
            )
            answers.append(road.tell("add-note", client_id=code, text=NOTES[number % len(NOTES)]))
        for code in sorted({code for code, _ in debits[5:50:12]}):
            answers.append(road.tell("stop-client", client_id=code))
        for code, entry in debits[60:90:10]:
            answers.append(road.tell("stop-entry", client_id=code, entry_id=entry["entry_id"]))
        for number, (code, entry) in enumerate(debits[4:60:13]):
            dispute = {
                "client_id": code,
                "entry_id": entry["entry_id"],
                "reason": DISPUTES[number % len(DISPUTES)],
            }
            answers.append(road.tell("open-dispute", **dispute))
        for code in sorted({code for code, _ in debits[1:40:17]}):
            answers.append(road.tell("flag-client", client_id=code))
        for code, (name, department) in zip(owing[2:40:6], CONTACTS, strict=False):
            answers.append(road.write_contact(client_id=code, name=name, department=department, reminders_from=3))
        return [position for answer in answers for position in answer.get("positions", [])]

    def _road(self, day: date) -> Road:
        return self.trial.road(COMPANY, day)


def create_person(trial: Trial) -> str:
    """The demonstration's user, made once; its password, which is kept in the data directory."""
    file = trial.stack.data_dir / "demo-password"
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            output.write(f"{secrets.token_urlsafe(9)}\n")
    password = file.read_text(encoding="utf-8").strip()
    person = ["--email", LOGIN, "--name", PERSON, "--company", COMPANY, "--role", "admin"]
    subprocess.run(
        [sys.executable, "-P", "-m", "services.console", "create-user", *person],
        input=f"{password}\n",
        env={**os.environ, "PYTHONPATH": str(ROOT), **trial.stack.embedded.environment("console")},
        text=True,
        check=True,
    )
    return password


@contextmanager
def folder_of(data_dir: Path | None) -> Iterator[Path]:
    """The chosen data directory, or a passing one."""
    if data_dir is not None:
        yield data_dir
        return
    with tempfile.TemporaryDirectory(prefix="relance-") as passing:
        yield Path(passing)


def check(data_dir: Path | None, as_of: date | None, report: Report) -> Json:
    """The main job once, without a person, on an empty data directory unless one is named."""
    started = time.perf_counter()
    day = as_of or clock.now().date()
    with folder_of(data_dir) as folder, Trial(folder, as_of=day, report=report) as trial:
        ready = time.perf_counter()
        figures = Demonstration(trial, day, report).check()
        pids = [os.getpid(), *trial.stack.state().pids.values()]
        memory = pss_megabytes(pids)
        ended = time.perf_counter()
    return {
        **figures,
        "seconds": round(ended - started, 2),
        "seconds_to_ready": round(ready - started, 2),
        "pss_mb": memory,
    }


def demonstrate(data_dir: Path, as_of: date | None, port: int, report: Report) -> None:
    """Start the demonstration and keep it running until Ctrl-C. Its past is made on first use."""
    marker = data_dir / "demo.json"
    day = as_of or clock.now().date()
    made = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else None
    if made is not None:
        day = date.fromisoformat(made["as_of"])
    trial = Trial(data_dir, as_of=day, console_port=port, report=report)
    try:
        trial.start()
        password = create_person(trial)
        if made is None:
            Demonstration(trial, day, report).prepare()
            marker.write_text(json.dumps({"as_of": f"{day}"}), encoding="utf-8")
        print(f"\n  Relance     {trial.stack.url('console')}")
        print(f"  login       {LOGIN}")
        print(f"  password    {password}")
        print(f"  mails       {trial.sink.url}")
        print(f"  date        {day:%d/%m/%Y}\n\n  Ctrl-C stops everything.\n", flush=True)
        trial.stack.watch()
    except KeyboardInterrupt:
        report("stopping")
    finally:
        trial.stop()


def _person(client: DemoClient) -> Json:
    return {
        "client_id": client.code,
        "name": client.name,
        "emails": [client.email] if client.email else [],
        "phones": [client.phone] if client.phone else [],
        "address": {"street": client.street, "postcode": client.postcode, "city": client.town, "country": "FR"},
        "contact_name": client.contact,
        "language": "fr",
    }


def furthest(known: Heard, said: Sequence[str]) -> Heard:
    """The furthest position per speaker and partition of ``known`` and of positions such as ``ledger/7/42``."""
    result: Heard = {speaker: dict(heard) for speaker, heard in known.items()}
    for position in said:
        speaker, partition, number = position.split("/")
        heard = result.setdefault(speaker, {})
        heard[int(partition)] = max(heard.get(int(partition), 0), int(number))
    return result
