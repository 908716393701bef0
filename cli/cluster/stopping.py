"""How pods end while others take over: seconds from being asked to being gone, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from cli.cluster.kubectl import Kubectl, Manifest

ROLES = ("api", "worker", "relay")


@dataclass
class Stop:
    """One pod's end."""

    deployment: str
    seconds: float
    exit_code: int | None
    """``None`` where the cluster removed the pod before it told."""


@dataclass
class Stops:
    """Every pod of ours that ended while this was watched, by ``kubectl get pods --watch``."""

    kubectl: Kubectl
    seen: list[Stop] = field(default_factory=list)
    _asked: dict[str, float] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)
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
        """Seconds of the slowest end; 0 when nothing ended."""
        return max((stop.seconds for stop in self.seen), default=0.0)

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
            if ended is not None:
                self._codes[name] = ended["exitCode"]
        if "deletionTimestamp" in pod["metadata"]:
            self._asked.setdefault(name, now)
        if kind == "DELETED" and name in self._asked:
            deployment = f"{labels.get('app.kubernetes.io/name')}-{role}"
            seconds = round(now - self._asked.pop(name), 1)
            self.seen.append(Stop(deployment, seconds, self._codes.get(name)))


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
