"""Every alert, provoked for real on a running stack, seen by a real Prometheus with the very rules, and cured by
what its page in docs/runbooks says. Only the minutes of the rules are seconds here (``rules.SHORTENED``)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from chassis import clock
from cli.books import FILE_NAME, write_fec
from cli.observing.prometheus import Prometheus, places_of
from cli.places import ROOT
from cli.road import Road, email_actions
from cli.trial import Trial
from tests.observability.rules import RULES, shortened
from tests.waiting import asked_until

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed here")

COMPANY = "watched"
CLIENTS = 120
WITHIN = 60.0
SEEN: set[str] = set()


class Watched:
    """A company on a trial that Prometheus looks at."""

    def __init__(self, trial: Trial, prometheus: Prometheus, road: Road, actions: list[str], day: date) -> None:
        self.trial = trial
        self.prometheus = prometheus
        self.road = road
        self.day = day
        self._actions = iter(actions)
        self._clients = iter(self._known())

    def _known(self) -> list[str]:
        with psycopg.connect(self.trial.dsn) as connection:
            rows = connection.execute(
                "select client_id from ledger.client where company = %s order by 1", [COMPANY]
            )
            return [client_id for (client_id,) in rows]

    def confirm(self, count: int) -> list[str]:
        """Confirm so many e-mails."""
        chosen = [next(self._actions) for _ in range(count)]
        assert len(self.road.confirm(chosen, self.day)["confirmed"]) == count
        return chosen

    def say_something(self) -> str:
        """Ledger says that a client is stopped; which one."""
        client = next(self._clients)
        self.road.tell("stop-client", client_id=client)
        return client

    @property
    def database(self) -> "psycopg.Connection[Any]":
        """For those who look after the database, as the runbooks do."""
        return psycopg.connect(self.trial.dsn, autocommit=True)

    def relance(self, *arguments: str) -> str:
        """What a command of the command line prints."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "cli", *arguments, "--data", str(self.trial.stack.data_dir)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def sink_behaves(self, **behaviour: object) -> None:
        httpx.put(f"{self.trial.sink.url}/api/behaviour", json=behaviour, trust_env=False).raise_for_status()

    def fires(self, alert: str, **labels: str) -> bool:
        found = self.prometheus.firing().get(alert, [])
        return any(labels.items() <= one.items() for one in found)

    @contextmanager
    def sees(self, alert: str, **labels: str) -> Iterator[None]:
        """The alert fires because of what was just done; what is done inside cures it."""
        assert alert in RULES
        assert asked_until(bool, lambda: self.fires(alert, **labels), WITHIN), (alert, self.prometheus.firing())
        yield
        gone = asked_until(bool, lambda: not self.fires(alert, **labels), WITHIN)
        assert gone, (alert, self.prometheus.firing())
        SEEN.add(alert)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    day = clock.today("Europe/Paris")
    write_fec(folder / FILE_NAME, CLIENTS * 6, clients=CLIENTS)
    knobs = {"notify": {"RELANCE_SENDING_BATCH": "4"}, "reporting": {"RELANCE_MONEY_EVERY": "1"}}
    with Trial(folder / "data", as_of=day, environment=knobs) as trial:
        road = trial.road(COMPANY, day)
        road.register("Watched")
        imported = road.import_file(folder / FILE_NAME, email_domain="example.org")
        road.round(day, imported["positions"])
        actions = email_actions(road.tasks(day))
        stack = trial.stack
        targets = places_of({name: stack.url(name) for name in stack.services})
        port = stack.embedded.port("prometheus")
        with Prometheus(folder / "prometheus", port, targets, groups=shortened()) as prometheus:
            everybody_answers = [1.0] * len(stack.services)
            up = asked_until(
                lambda found: sorted(found) == everybody_answers,
                lambda: [value for _, value in prometheus.now("up")],
            )
            assert sorted(up) == everybody_answers
            yield Watched(trial, prometheus, road, actions, day)
        road.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_nothing_fires_while_all_is_well(watched: Watched) -> None:
    watched.confirm(3)
    said = asked_until(
        lambda found: found == [3.0],
        lambda: [
            value
            for labels, value in watched.prometheus.now("relance_messages_today")
            if labels["company"] == COMPANY and labels["status"] == "sent"
        ],
    )
    assert said == [3.0]
    due, overdue = (watched.prometheus.now(f"relance_money_{name}")[0][1] for name in ("due", "overdue"))
    assert due >= overdue > 0
    quiet = asked_until(lambda found: not found, watched.prometheus.firing)
    assert quiet == {}


def test_messages_in_doubt(watched: Watched) -> None:
    watched.sink_behaves(drop_next=1)
    (action,) = watched.confirm(1)
    with watched.sees("MessagesInDoubt"):
        troubles = watched.road.sending(watched.day)["troubles"]
        assert [one["action_id"] for one in troubles if one["status"] == "in_doubt"] == [action]
        arrived = any(action in known for known in watched.trial.sink.message_ids())
        watched.road.resolve_doubt(action, "sent" if arrived else "resend")


def test_messages_wait_for_a_mail_server_that_is_away(watched: Watched) -> None:
    watched.trial.sink.stop()
    # of few are some taken, so the rest waits in the queue
    watched.confirm(30)
    with watched.sees("MessagesWaiting"), watched.sees("JobsWaiting", queue="email"):
        answer = httpx.get(f"{watched.trial.stack.url('notify')}/readyz", trust_env=False).json()
        assert "messages wait" in answer["hindered_by"]["mail server"]
        watched.trial.sink.start()


def test_a_service_is_down_and_its_neighbour_is_hindered(watched: Watched) -> None:
    watched.trial.stack.children["ledger"].kill()
    watched.confirm(1)
    with watched.sees("ServiceDown", service="ledger"), watched.sees("WorkHindered", service="notify"):
        answer = httpx.get(f"{watched.trial.stack.url('notify')}/readyz", trust_env=False).json()
        assert "messages wait" in answer["hindered_by"]["people"]
        # as `relance up` does, compose and Kubernetes
        assert watched.trial.stack.mend() == ["ledger"]
        watched.trial.stack.wait_ready()


def test_a_service_keeps_starting(watched: Watched) -> None:
    watched.trial.stack.children["sync"].kill()
    watched.trial.stack.mend()
    with watched.sees("ServiceRestarts", service="sync"):
        watched.trial.stack.wait_ready()


def test_events_are_not_published(watched: Watched) -> None:
    server = watched.trial.stack.embedded.nats.process
    assert server is not None
    server.kill()
    server.wait()
    watched.say_something()
    with watched.sees("EventsUnpublished", service="ledger"):
        assert watched.trial.stack.mend() == ["nats-server"]


def test_a_relay_refuses(watched: Watched) -> None:
    client = watched.say_something()
    with watched.database as database:
        stopped = "select stopped from dunning.client where company = %s and client_id = %s"
        heard = asked_until(
            bool, lambda: (database.execute(stopped, [COMPANY, client]).fetchone() or [False])[0], WITHIN
        )
        assert heard
        database.execute(
            "create table ledger.lost as select * from ledger.event_log order by recorded_at desc limit 1"
        )
        database.execute("delete from ledger.event_log where event_id in (select event_id from ledger.lost)")
        watched.trial.stack.children["ledger"].kill()
        watched.trial.stack.mend()
        with watched.sees("RelayRefuses", service="ledger"):
            # PostgreSQL is brought back to its last state: the relay goes on by itself
            database.execute("insert into ledger.event_log select * from ledger.lost")
            database.execute("drop table ledger.lost")


def test_a_projection_stands(watched: Watched) -> None:
    with watched.database as held, watched.database as database:
        held.execute("begin")
        held.execute("lock table reporting.client in access exclusive mode")
        watched.say_something()
        with watched.sees("ProjectionBehind", service="reporting"):
            (query,) = _statements("projection-behind.md")
            blocking = [row[0] for row in database.execute(query)]
            assert held.info.backend_pid in blocking
            database.execute("select pg_terminate_backend(%s)", [held.info.backend_pid])
        held.close()


def test_a_client_is_parked(watched: Watched) -> None:
    with watched.database as database:
        database.execute("alter table dunning.client add constraint never check (not stopped) not valid")
        client = watched.say_something()
        with watched.sees("ClientsParked", service="dunning"):
            (parked,) = (json.loads(line) for line in watched.relance("parked", "dunning").splitlines())
            assert (parked["speaker"], parked["company"], parked["key"]) == ("ledger", COMPANY, client)
            assert "never" in parked["error"]
            database.execute("alter table dunning.client drop constraint never")
            done = json.loads(watched.relance("unpark", "dunning", "ledger", COMPANY, client))
            assert done == {"applied": 1}


def test_requests_fail(watched: Watched) -> None:
    with watched.database as database:
        database.execute("alter table reporting.dunning_round rename to elsewhere")
        ask: Callable[[], Any] = lambda: _status(watched, "/home")  # noqa: E731 - asked again and again
        assert ask() >= 500
        fires = asked_until(bool, lambda: ask() >= 500 and watched.fires("RequestsFail"), WITHIN)
        assert fires
        with watched.sees("RequestsFail", service="reporting"):
            labels = watched.prometheus.now(
                "topk(5, sum by (service, route, status)"
                ' (rate(relance_http_request_seconds_count{status=~"5.."}[5m])))'
            )
            assert any(one["route"].endswith("/home") for one, _ in labels)
            database.execute("alter table reporting.elsewhere rename to dunning_round")
            assert ask() == 200


def test_a_rebuild_is_left_alone_and_old_tables_are_kept(watched: Watched) -> None:
    watched.relance("rebuild", "start", "reporting", "--once")
    watched.say_something()
    with watched.sees("RebuildStuck", service="reporting"):
        watched.relance("rebuild", "switch", "reporting")
    with watched.sees("OldTablesKept", service="reporting"):
        watched.relance("rebuild", "drop", "reporting")


def test_none_was_left_out(watched: Watched) -> None:
    assert set(RULES) == SEEN
    assert asked_until(lambda found: not found, watched.prometheus.firing) == {}


def _status(watched: Watched, path: str) -> int:
    road = watched.road
    asked = httpx.get(
        f"{road.addresses.reporting}/companies/{COMPANY}{path}",
        params={"as_of": f"{watched.day}"},
        headers=road._headers(),
        trust_env=False,
        timeout=30,
    )
    return asked.status_code


def _statements(runbook: str) -> list[str]:
    """The SQL that a runbook gives, as it stands there."""
    text = (Path(ROOT) / "docs/runbooks" / runbook).read_text(encoding="utf-8")
    return [part.partition("```")[0] for part in text.split("```sql\n")[1:]]
