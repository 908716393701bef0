"""Rules 15.2, 15.5: who is limited to sales people sees and commands their clients only, by every API and page.

Everything of the clients of others carries the word THEIRS: it may stand in no answer.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from chassis.auth import mint, read_key
from cli.places import ROOT, SERVICES
from cli.trial import Trial
from tests.waiting import asked_until

TODAY = date.today()  # noqa: DTZ011 - the pages' day, where nothing else is said
LATE = TODAY - timedelta(days=60)
WORD = "THEIRS"
PASSWORD = "motdepasse-solide"
LOGIN = "paul@commerce.example"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SPEAKERS = ("sync", "ledger", "dunning", "notify")

READS = {
    "ledger": (
        "", "/client?client_id={c}", "/statement?client_id={c}", "/lettering-errors", "/documents/missing",
        "/documents?client_id={c}", "/person-data?client_id={c}", "/profiles", "/fields",
    ),
    "dunning": (
        "/tasks", "/client-policies", "/client-policies?client_id={c}", "/explain?client_id={c}",
        "/explain?entry_id={e}", "/explain?client_id={c}&history=true&as_of={eve}", "/statement?client_id={c}",
        "/levels?client_id={c}", "/rounds/{today}", "/simulations", "/policy", "/scenarios",
    ),
    "notify": (
        "/messages?client_id={c}", "/message?action_id={a}", "/preview?action_id={a}", "/sending", "/tasks",
        "/letters?state=all", "/letter?action_id={a}", "/letter/pdf?action_id={a}",
        "/tasks?state=all&client_id={c}", "/person-data?client_id={c}", "/templates",
    ),
    "reporting": (
        "/home", "/alerts", "/client?client_id={c}", "/timeline", "/mentions?user=user:alice", "/search?q=theirs",
        "/search?q=ftheirs", "/options", "/who-owes-what", "/who-owes-what?format=csv", "/clients",
        "/clients?q=theirs", "/activities", "/activities?client_id={c}", "/promises", "/disputes", "/receipts",
        "/expected", "/forecast", "/payers", "/due-items", "/due-items?client_id={c}",
    ),
    "sync": ("/imports", "/connectors", "/mappings", "/inlets", "/import-settings"),
}  # fmt: skip
"""Every question of every service; ``{c}``, ``{e}``, ``{a}`` are a foreign client, entry, action."""

COMMANDS: dict[str, tuple[tuple[str, str, dict[str, Any]], ...]] = {
    "ledger": (
        ("POST", "/stop-client", {"client_id": "{c}"}),
        ("POST", "/resume-client", {"client_id": "{c}"}),
        ("POST", "/stop-entry", {"client_id": "{c}", "entry_id": "{e}"}),
        (
            "POST",
            "/record-promise",
            {"client_id": "{c}", "entry_id": "{e}", "amount": "1", "promised_on": "{later}"},
        ),
        ("POST", "/cancel-promise", {"promise_id": "{p}"}),
        ("POST", "/add-note", {"client_id": "{c}", "text": "bonjour"}),
        ("POST", "/open-dispute", {"client_id": "{c}", "reason": "price"}),
        ("POST", "/flag-client", {"client_id": "{c}"}),
        ("POST", "/reposition-entry", {"client_id": "{c}", "entry_id": "{e}", "expected_on": "{later}"}),
        ("PUT", "/contact", {"client_id": "{c}", "name": "X", "email": "x@x.example"}),
        ("PUT", "/client-fields", {"client_id": "{c}", "fields": {"tag1": "x"}}),
        ("POST", "/merge-clients", {"client_id": "MINE", "into_client_id": "{c}"}),
        ("POST", "/merge-clients", {"client_id": "{c}", "into_client_id": "MINE"}),
        ("POST", "/day", {}),
        ("POST", "/people/query", {"client_ids": ["{c}"]}),
        ("POST", "/people/query", {}),
        ("POST", "/labels/query", {"entry_ids": ["{e}"]}),
        ("POST", "/entry-fields/query", {"entry_ids": ["{e}"]}),
        ("POST", "/documents/query", {"entry_ids": ["{e}"]}),
    ),
    "dunning": (
        ("POST", "/rounds", {"as_of": "{today}"}),
        ("POST", "/confirm", {"action_ids": ["{a}"], "as_of": "{today}"}),
        ("POST", "/withdraw", {"action_ids": ["{a}"], "as_of": "{today}"}),
        ("POST", "/include", {"client_id": "{c}", "entry_ids": ["{e}"]}),
        ("POST", "/levels", {"levels": [{"client_id": "{c}", "entry_id": "{e}", "next_step": "R3"}]}),
        ("PUT", "/automatic", {"automatic": True, "entries": [{"client_id": "{c}", "entry_id": "{e}"}]}),
        (
            "POST",
            "/by-hand/plan",
            {"request_id": "{r}", "client_id": "{c}", "entry_ids": ["{e}"], "medium": "email"},
        ),
        (
            "POST",
            "/by-hand",
            {"actions": [{"request_id": "{r}", "client_id": "{c}", "entry_ids": ["{e}"], "medium": "email"}]},
        ),
        (
            "POST",
            "/by-hand",
            {"actions": [{"request_id": "{r}", "client_id": "MINE", "entry_ids": ["{e}"], "medium": "email"}]},
        ),
        ("POST", "/by-criteria/query", {}),
        ("POST", "/by-criteria/query", {"client_ids": ["{c}"], "salespeople": ["7"]}),
        ("POST", "/simulations", {"days": 5}),
    ),
    "notify": (
        ("POST", "/complete-task", {"action_id": "{a}"}),
        ("POST", "/resolve-doubt", {"action_id": "{a}", "as": "resend"}),
        ("POST", "/letters/prepare", {"action_ids": ["{a}"]}),
        ("POST", "/letters/bundle", {"action_ids": ["{a}"]}),
        ("POST", "/letters/posted", {"action_ids": ["{a}"]}),
        ("POST", "/letter/registered-number", {"action_id": "{a}", "number": "1A"}),
        ("POST", "/drafts", {"client_id": "{c}", "subject": "x", "body": "x"}),
        ("POST", "/sending/query", {"action_ids": ["{a}"]}),
    ),
    "sync": (
        ("POST", "/rows/clients", {"rows": [{"client_id": "{c}", "client_name": "Mine now"}]}),
        (
            "POST",
            "/rows/entries",
            {"rows": [{"key": "k", "client_id": "{c}", "debit": "1", "due_date": "{today}"}]},
        ),
    ),
}
"""Every command of every service about the foreign client, and every question too long for an address."""

PAGES = (
    "home", "who-owes-what", "clients", "promises", "disputes", "activities", "my-tasks", "act", "act/criteria",
    "alerts", "search?q=theirs", "search?q=ftheirs", "clients?format=csv", "profiles", "scenarios", "rules",
)  # fmt: skip
FOREIGN_PAGES = (
    "client?client_id={c}", "client?client_id={c}&tab=why", "client?client_id={c}&tab=history",
    "client?client_id={c}&statement_on={eve}", "client/compose?client_id={c}&entry_id={e}",
    "message?action_id={a}", "message?action_id={a}&preview=true",
    "act/criteria/preview?client_id={c}&currency=EUR",
)  # fmt: skip


@dataclass
class Wall:
    """A company with a client of each of two sales people, and Paul, who sees those of number 4."""

    trial: Trial
    company: str
    facts: dict[str, str] = field(default_factory=dict)

    def told(self, value: Any) -> Any:
        """With the foreign client, entry, action and so on in place of their letters."""
        if isinstance(value, str):
            for letter, fact in self.facts.items():
                value = value.replace("{" + letter + "}", fact)
            return value
        if isinstance(value, list):
            return [self.told(one) for one in value]
        return {name: self.told(one) for name, one in value.items()} if isinstance(value, dict) else value

    def call(
        self, service: str, method: str, path: str, body: Any = None, *, limited: bool = True
    ) -> httpx.Response:
        key = read_key(Path(self.trial.stack.embedded.private_key_file))
        role = "user" if limited else "admin"
        token = mint(key, "user:paul", [self.company], role, 5, ("4",) if limited else None)  # type: ignore[arg-type]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
        url = f"{self.trial.stack.url(service)}/companies/{self.company}{self.told(path)}"
        return httpx.request(method, url, json=self.told(body), headers=headers, timeout=30, trust_env=False)

    def said(self) -> dict[str, int]:
        """How many events there are, by service."""
        with psycopg.connect(self.trial.dsn) as connection:
            return {
                name: connection.execute(
                    f"select count(*) from {name}.event_log where company = %s",
                    (self.company,),
                ).fetchone()[0]  # type: ignore[index]
                for name in SPEAKERS
            }

    def console_command(self, *arguments: str, password: str = "") -> str:
        environment = self.trial.stack.embedded.environment("console")
        done = subprocess.run(
            [sys.executable, "-P", "-m", "services.console", *arguments],
            input=f"{password}\n",
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            text=True,
            capture_output=True,
            check=True,
        )
        return done.stdout


def _entry(client: str, piece: str, amount: str) -> dict[str, str]:
    return {"key": piece, "client_id": client, "piece": piece, "debit": amount, "due_date": f"{LATE}"}


def _pushed(built: Wall, kind: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    """Sync hears of a new company a moment later."""
    answer = asked_until(
        lambda one: one.status_code != httpx.codes.NOT_FOUND,
        lambda: built.call("sync", "POST", f"/rows/{kind}", {"rows": rows}, limited=False),
    )
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


@pytest.fixture(scope="module")
def wall(trial: Trial) -> Wall:
    built = Wall(trial, f"t{uuid4().hex[:12]}")
    road = trial.road(built.company, TODAY)
    road.register("Ateliers Delcourt")
    clients = [
        {"client_id": "MINE", "client_name": "Société Mine", "salesperson": "Anne", "salesperson_code": "4"},
        {"client_id": WORD, "client_name": f"Société {WORD}", "salesperson": "Bruno", "salesperson_code": "7"},
        {"client_id": f"NO{WORD}", "client_name": f"Sans {WORD}"},
    ]
    people = [{**one, "email": f"{one['client_id'].lower()}@x.example"} for one in clients]
    entries = [
        _entry("MINE", "FMINE", "100"),
        _entry(WORD, f"F{WORD}", "250"),
        _entry(f"NO{WORD}", f"N{WORD}", "9"),
    ]
    positions: dict[str, dict[int, int]] = {}
    for kind, rows in (("clients", people), ("entries", entries)):
        started = _pushed(built, kind, rows)
        positions = road.follow_import(started["run_id"])["positions"]
    road.wait_until_ledger_heard(positions)
    road.round(TODAY, positions)
    rows = [row for group in road.tasks(TODAY)["groups"] for row in group["rows"]]
    action = next(row for row in rows if row["client_id"] == WORD)
    built.facts = {
        "c": WORD,
        "e": action["entries"][0]["entry_id"],
        "a": action["action_id"],
        "r": str(uuid4()),
        "p": str(uuid4()),
        "today": f"{TODAY}",
        "eve": f"{TODAY - timedelta(days=1)}",
        "later": f"{TODAY + timedelta(days=9)}",
    }
    promised = {
        "client_id": WORD,
        "entry_id": built.facts["e"],
        "amount": "5",
        "promised_on": built.facts["later"],
    }
    answer = built.call("ledger", "POST", "/record-promise", promised, limited=False).raise_for_status().json()
    built.facts["p"] = answer.get("promise_id", built.facts["p"])
    road.tell("add-note", client_id=WORD, text=f"note de {WORD}")
    road.close()
    return built


@pytest.mark.parametrize("service", [name for name in SERVICES if name in READS])
def test_no_question_tells_of_a_foreign_client(wall: Wall, service: str) -> None:
    told_to_all = 0
    for path in READS[service]:
        answer = wall.call(service, "GET", path)
        told = answer.text.replace(f'"client_id":"{WORD}"', "") if answer.is_error else answer.text
        assert WORD not in told, (path, answer.text[:500])
        assert answer.status_code < 500, (path, answer.text)
        if "{c}" in path or "{e}" in path or "{a}" in path:
            assert answer.status_code == 404 or answer.json().get("messages") == [], (path, answer.text[:300])
        told_to_all += WORD in wall.call(service, "GET", path, limited=False).text
    assert told_to_all or service == "sync", "somebody who sees every client is told of this one"


def test_own_clients_are_told_of_as_before(wall: Wall) -> None:
    home = wall.call("reporting", "GET", "/home").json()
    assert (home["owed"]["clients"], home["owed"]["total"]) == (1, "100.00")
    assert wall.call("reporting", "GET", "/home", limited=False).json()["owed"]["clients"] == 3
    tasks = wall.call("dunning", "GET", "/tasks").json()
    assert {row["client_id"] for group in tasks["groups"] for row in group["rows"]} == {"MINE"}
    assert wall.call("reporting", "GET", "/client?client_id=MINE").status_code == 200
    people = {"client_ids": ["MINE"]}
    named = wall.call("ledger", "POST", "/people/query", people).json()
    assert named == wall.call("ledger", "POST", "/people/query", people, limited=False).json()
    found = wall.call("dunning", "POST", "/by-criteria/query", {}).json()
    assert (found["clients"], [row["client_id"] for row in found["rows"]]) == (1, ["MINE"])


@pytest.mark.parametrize("service", [name for name in SERVICES if name in COMMANDS])
def test_no_command_reaches_a_foreign_client(wall: Wall, service: str) -> None:
    before = wall.said()
    for method, path, body in COMMANDS[service]:
        answer = wall.call(service, method, path, body)
        assert answer.status_code < 500, (path, answer.text)
        told = answer.text.replace(f'"client_id":"{WORD}"', "") if answer.is_error else answer.text
        assert WORD not in told, (path, answer.text[:500])
        if "query" not in path:
            refused = answer.is_error or answer.json().get("refused")
            assert refused, (path, answer.status_code, answer.text)
            assert answer.status_code != 422, (path, answer.text)
    assert wall.said() == before


def test_a_token_for_nobody_sees_nobody(wall: Wall) -> None:
    """A portfolio without anybody is not one of everybody."""
    key = read_key(Path(wall.trial.stack.embedded.private_key_file))
    token = mint(key, "user:paul", [wall.company], "user", 5, ())
    url = f"{wall.trial.stack.url('reporting')}/companies/{wall.company}/clients"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert answer.json()["clients"] == 0


def test_no_page_tells_of_a_foreign_client_and_no_form_reaches_it(wall: Wall) -> None:
    """Rule 15.2: set on the command line, counted from the next page on; refused with the page of what is not
    there."""
    company = wall.company
    named = ("--email", LOGIN, "--company", company)
    wall.console_command("create-user", *named, "--name", "Paul Roux", password=PASSWORD)
    with httpx.Client(base_url=wall.trial.stack.url("console"), follow_redirects=True, trust_env=False) as http:
        token = TOKEN.search(http.get("/login").text)
        assert token is not None
        http.post("/login", data={"csrf_token": token[1], "email": LOGIN, "password": PASSWORD})
        assert WORD in http.get(f"/c/{company}/clients").text
        wall.console_command("set-portfolio", *named, "--salesperson", "4")
        assert wall.console_command("list-users", "--company", company) == f"{LOGIN}\tPaul Roux\tuser\t4\n"
        for path in PAGES:
            page = http.get(f"/c/{company}/{path}")
            assert page.status_code == 200, (path, page.text[:300])
            assert WORD not in page.text, path
        tasks = re.sub(r"<[^>]*>|\s+", " ", http.get(f"/c/{company}/my-tasks").text)
        assert " MINE " in tasks or "Société Mine" in tasks, tasks[-1500:]
        for path in FOREIGN_PAGES:
            page = http.get(wall.told(f"/c/{company}/{path}"))
            assert (page.status_code, f"Société {WORD}" in page.text) == (404, False), (path, page.status_code)
        for path in ("imports", "simulation", "users"):
            assert http.get(f"/c/{company}/{path}").status_code == 403, path
        form = TOKEN.search(http.get(f"/c/{company}/client?client_id=MINE").text)
        assert form is not None
        before = wall.said()
        for command in ("stop", "note", "levels", "compose", "flag"):
            data = {"csrf_token": form[1], "client_id": WORD, "entry_id": wall.facts["e"], "text": "x"}
            data |= {"next_step": "R3", "medium": "email", "request_id": str(uuid4()), "do": "send"}
            http.post(f"/c/{company}/client/{command}", data=data)
        http.post(
            f"/c/{company}/act/include",
            data={"csrf_token": form[1], "client_id": WORD, "entry_id": wall.facts["e"]},
        )
        chosen = {
            "csrf_token": form[1],
            "chosen": f"{WORD}|EUR",
            "batch": str(uuid4()),
            "fingerprint": "1/1/250.00EUR",
        }
        http.post(f"/c/{company}/act/criteria/confirm", data=chosen)
        assert wall.said() == before
