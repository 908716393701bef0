"""``relance cluster drill``: what it makes of what a cluster tells, and where it refuses to begin."""

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.cluster.drill import DRILL, NoDrillOverlay, namespace_of
from cli.cluster.kubectl import Kubectl
from cli.cluster.stopping import Stops, objects
from cli.faults.campaign import differences_of
from cli.faults.days import Outcome
from cli.faults.outcomes import read, written


def pod(role: str = "worker", *, leaves: bool = False, code: int | None = None, second: int = 0) -> dict[str, Any]:
    terminated = {"exitCode": code, "finishedAt": f"2026-11-22T12:00:{second:02}Z"}
    ended = [{"state": {"terminated": terminated} if code is not None else {"running": {}}}]
    labels = {"app.kubernetes.io/name": "ledger", "app.kubernetes.io/component": role}
    leaving = {"deletionTimestamp": "2026-11-22T12:00:30Z", "deletionGracePeriodSeconds": 30} if leaves else {}
    return {"metadata": {"uid": "1", "labels": labels, **leaving}, "status": {"containerStatuses": ended}}


@pytest.fixture
def stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stops:
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return Stops(Kubectl("drill"))


def test_a_pod_takes_as_long_as_from_being_asked_to_the_end_of_its_process(stops: Stops) -> None:
    stops.notice("ADDED", pod(), 0.0)
    stops.notice("MODIFIED", pod(leaves=True), 10.0)
    stops.notice("MODIFIED", pod(leaves=True, code=0, second=3), 13.0)
    stops.notice("DELETED", pod(leaves=True, code=0, second=3), 44.5)
    (stop,) = stops.seen
    assert (stop.deployment, stop.seconds, stop.exit_code, stop.removed_after) == ("ledger-worker", 3, 0, 34.5)


def test_a_pod_whose_end_the_cluster_did_not_tell_is_counted_as_unknown(stops: Stops) -> None:
    stops.notice("MODIFIED", pod(leaves=True), 10.0)
    stops.notice("DELETED", pod(leaves=True), 12.0)
    (stop,) = stops.seen
    assert (stop.seconds, stop.exit_code) == (None, None)


def test_a_pod_that_had_to_be_killed_is_known_by_its_code(stops: Stops) -> None:
    stops.notice("MODIFIED", pod(leaves=True), 0.0)
    stops.notice("DELETED", pod(leaves=True, code=137, second=30), 31.0)
    assert [(stop.seconds, stop.exit_code) for stop in stops.seen] == [(30, 137)]


def test_the_ends_of_jobs_are_not_counted(stops: Stops) -> None:
    stops.notice("MODIFIED", pod("migrate", leaves=True), 0.0)
    stops.notice("DELETED", pod("migrate", leaves=True, code=0), 40.0)
    assert stops.seen == []


def test_a_watch_is_read_object_by_object_however_it_is_broken_into_lines() -> None:
    told = json.dumps({"type": "ADDED"}) + "\n" + json.dumps({"type": "DELETED", "object": {}}, indent=2) + "\n"
    assert [one["type"] for one in objects(io.StringIO(told))] == ["ADDED", "DELETED"]


def test_an_outcome_told_from_a_pod_is_the_same_as_one_seen_here() -> None:
    here = Outcome(days=2, rows={"actions": [(1, date(2026, 6, 1), Decimal("10.50"), None)]}, confirmed={"a"})
    there = read(json.loads(json.dumps(written(here))))
    assert differences_of(read(written(here)), there) == []
    there.rows["actions"][0] = (1, "2026-06-01", "10.51", None)
    assert len(differences_of(read(written(here)), there)) == 2


def test_an_overlay_that_is_not_made_for_drills_is_refused() -> None:
    real = {"kind": "Namespace", "metadata": {"name": "relance", "labels": {}}}
    drill = {"kind": "Namespace", "metadata": {"name": "trial", "labels": {DRILL: "true"}}}
    assert namespace_of([drill], Path("overlay")) == "trial"
    with pytest.raises(NoDrillOverlay, match="overlays/drill"):
        namespace_of([real], Path("overlay"))
