"""How pods end while others take over: seconds from being asked to being gone, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any

from cli.cluster.kubectl import Kubectl, Manifest

ROLES = ("api", "worker", "relay")


@dataclass
class Stop:
    """One pod's end."""

    deployment: str
    removed_after: float
    """Seconds until the cluster had cleared everything away, which a busy node does late."""
    exit_code: int | None = None
    """``None`` where the cluster removed the pod before it told of its end."""
    seconds: float | None = None
    """From being asked to the end of the process; to the second, as clusters tell."""


@dataclass
class Stops:
    """Every pod of ours that ended while this was watched, by ``kubectl get pods --watch``."""

    kubectl: Kubectl
    seen: list[Stop] = field(default_factory=list)
    _noticed: dict[str, float] = field(default_factory=dict)
    _ends: dict[str, tuple[int, float]] = field(default_factory=dict)
    _watch: subprocess.Popen[str] | None = None

    def __enter__(self) -> Stops:
        command = self.kubectl.command("get", "pods", "--watch", "--output-watch-events", "--output=json")
        self._watch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._watch.stdout is not None
        threading.Thread(target=self._follow, args=(self._watch.stdout,), name="stops", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._watch is not None
        self._watch.terminate()
        self._watch.wait()

    def longest(self) -> float:
        """Seconds of the slowest end that is known; 0 when none is."""
        return max((stop.seconds for stop in self.seen if stop.seconds is not None), default=0.0)

    def _follow(self, lines: IO[str]) -> None:
        for event in objects(lines):
            self.notice(event["type"], event["object"], time.monotonic())

    def notice(self, kind: str, pod: Manifest, now: float) -> None:
        """What a watch tells of a pod at second ``now``."""
        labels, name = pod["metadata"].get("labels", {}), pod["metadata"]["uid"]
        role = labels.get("app.kubernetes.io/component")
        if role not in ROLES:
            return
        for container in pod.get("status", {}).get("containerStatuses", []):
            ended = container.get("state", {}).get("terminated")
            if ended is not None and "deletionTimestamp" in pod["metadata"]:
                # the time of deletion is the one by which it must be gone
                due = datetime.fromisoformat(pod["metadata"]["deletionTimestamp"])
                asked = due - timedelta(seconds=pod["metadata"]["deletionGracePeriodSeconds"])
                took = datetime.fromisoformat(ended["finishedAt"]) - asked
                self._ends[name] = (ended["exitCode"], took.total_seconds())
        if "deletionTimestamp" in pod["metadata"]:
            self._noticed.setdefault(name, now)
        if kind == "DELETED" and name in self._noticed:
            deployment = f"{labels.get('app.kubernetes.io/name')}-{role}"
            removed_after = round(now - self._noticed.pop(name), 1)
            self.seen.append(Stop(deployment, removed_after, *self._ends.get(name, (None, None))))


def objects(lines: IO[str]) -> Iterator[Any]:
    """JSON objects that follow one another over several lines, each of which ends with a line ``}``."""
    held: list[str] = []
    for line in lines:
        held.append(line)
        if line.rstrip() == "}":
            yield json.loads("".join(held))
            held = []
        elif len(held) == 1 and line.rstrip().endswith("}"):
            yield json.loads(held.pop())
