"""The machine's Prometheus as a child process, looking at the services of a stack."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import yaml

from cli.processes import Child, ChildFailed

READY_SECONDS = 30.0
JOB = "relance"
Samples = list[tuple[float, float]]


class PrometheusMissing(Exception):
    """No Prometheus is installed on this machine."""

    def __init__(self) -> None:
        super().__init__("Prometheus is needed for this; install it so that `prometheus` is on the path")


class PrometheusRefused(Exception):
    """It does not understand a question."""


class Asked:
    """Questions to the Prometheus at a URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str, **params: str | float) -> Any:
        answer = self._http.get(f"/api/v1/{path}", params=params)
        body = answer.json()
        if body["status"] != "success":
            raise PrometheusRefused(f"{params}: {body.get('error')}")
        return body["data"]

    def now(self, query: str) -> list[tuple[dict[str, str], float]]:
        """What a query gives now: labels and value."""
        return [(one["metric"], float(one["value"][1])) for one in self._get("query", query=query)["result"]]

    def over(self, query: str, start: float, end: float, step: float) -> list[tuple[dict[str, str], Samples]]:
        """What it gave from one instant to another, in seconds since 1970: labels and samples."""
        found = self._get("query_range", query=query, start=start, end=end, step=step)["result"]
        return [(one["metric"], [(float(at), float(value)) for at, value in one["values"]]) for one in found]

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """Labels of what fires, by the alert's name."""
        found: dict[str, list[dict[str, str]]] = {}
        for alert in self._get("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return found


class Prometheus(Asked):
    """Scrapes ``targets``, ``{service: [host:port]}``, every ``seconds``; rules are those of ``groups``."""

    def __init__(
        self,
        folder: Path,
        port: int,
        targets: Mapping[str, Sequence[str]],
        *,
        groups: Sequence[Mapping[str, Any]] = (),
        seconds: int = 1,
    ) -> None:
        """Raises ``PrometheusMissing``."""
        binary = shutil.which("prometheus")
        if binary is None:
            raise PrometheusMissing
        super().__init__(f"http://127.0.0.1:{port}")
        folder.mkdir(parents=True, exist_ok=True)
        self._write(folder, targets, groups, seconds)
        self.child = Child(
            "prometheus",
            [
                binary,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            env={},
            log=folder / "prometheus.log",
        )

    @staticmethod
    def _write(
        folder: Path, targets: Mapping[str, Sequence[str]], groups: Sequence[Mapping[str, Any]], seconds: int
    ) -> None:
        (folder / "rules.yml").write_text(yaml.safe_dump({"groups": list(groups)}), encoding="utf-8")
        jobs = [
            {
                "job_name": JOB,
                "honor_labels": True,
                "static_configs": [
                    {"targets": list(places), "labels": {"service": name}} for name, places in targets.items()
                ],
            }
        ]
        every = f"{seconds}s"
        settings = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
        content = {"global": settings, "rule_files": ["rules.yml"], "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def __enter__(self) -> Prometheus:
        self.child.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if not self.child.is_running() or time.monotonic() > deadline:
                self.stop()
                raise ChildFailed("prometheus", self.child.log, "did not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.child.ask_to_stop()
        self.child.wait_stopped()
        self.close()

    def _is_ready(self) -> bool:
        try:
            return self._http.get("/-/ready").is_success
        except httpx.HTTPError:
            return False


def places_of(urls: Mapping[str, str]) -> dict[str, list[str]]:
    """What ``Prometheus`` takes as targets, from base URLs by service."""
    return {name: [url.partition("//")[2]] for name, url in urls.items()}
