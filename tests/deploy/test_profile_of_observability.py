"""The profile ``observability`` beside compose: what one part names of another is there, and speaks there."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from cli.observing.drawing import dashboards
from cli.places import ROOT, SERVICES

OBSERVABILITY = ROOT / "deploy/observability"
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
PROFILE = {name: one for name, one in COMPOSE.items() if one.get("profiles") == ["observability"]}
PROMETHEUS_PORT, GRAFANA_PORT = 9090, 3000
"""Those of the programs, when nothing is said."""


def read(name: str) -> Any:
    return yaml.safe_load((OBSERVABILITY / name).read_text(encoding="utf-8"))


def places(service: str) -> dict[str, Path]:
    """Path inside the container: file or folder of the repository."""
    mounts = [mount.removesuffix(":ro").split(":") for mount in PROFILE[service]["volumes"] if mount[0] == "."]
    return {inside: ROOT / outside for outside, inside in mounts}


def volumes(service: str) -> set[str]:
    return {mount.split(":")[1] for mount in PROFILE[service]["volumes"] if mount[0] not in ".$"}


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_every_service_is_scraped_where_it_answers() -> None:
    (job,) = read("prometheus.yml")["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == set(SERVICES)
    dockerfile = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
    assert f"RELANCE_HTTP_PORT={found['port']}" in dockerfile
    # an address has no name: alerts tell the service by its label
    assert {"source_labels": ["__meta_dns_name"], "target_label": "service"} in job["relabel_configs"]
    for name in SERVICES:
        assert "inside" in COMPOSE[name].get("networks", ["inside"])


def test_the_rules_are_mounted_where_prometheus_reads_them() -> None:
    mounted = places("prometheus")
    (rules,) = read("prometheus.yml")["rule_files"]
    assert mounted[rules] == OBSERVABILITY / "alerts.yaml"
    started = dict(option.removeprefix("--").split("=", 1) for option in PROFILE["prometheus"]["command"])
    assert mounted[started["config.file"]] == OBSERVABILITY / "prometheus.yml"
    assert started["storage.tsdb.path"] in volumes("prometheus")


def test_traces_go_from_services_by_the_collector_to_tempo() -> None:
    collector, tempo = read("collector.yml"), read("tempo.yml")
    pipeline = collector["service"]["pipelines"]["traces"]
    for kind, names in pipeline.items():
        assert set(names) <= collector[kind].keys()
    heard = port_of(collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"])
    assert f"RELANCE_OTLP_ENDPOINT=http://collector:{heard} " in (ROOT / "docs/guide/observing.md").read_text()
    passed_on = collector["exporters"]["otlp"]["endpoint"]
    assert passed_on.split(":")[0] in PROFILE
    receiving = tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert port_of(receiving) == port_of(passed_on)
    (config,) = (one.partition("=")[2] for one in PROFILE["collector"]["command"])
    assert places("collector")[config] == OBSERVABILITY / "collector.yml"
    (config,) = (one.partition("=")[2] for one in PROFILE["tempo"]["command"])
    assert places("tempo")[config] == OBSERVABILITY / "tempo.yml"
    kept = tempo["storage"]["trace"]
    for folder in (kept["local"]["path"], kept["wal"]["path"]):
        assert any(folder.startswith(f"{volume}/") for volume in volumes("tempo"))


def test_grafana_asks_prometheus_and_tempo_where_they_answer() -> None:
    sources = {one["type"]: one for one in read("grafana/datasources.yml")["datasources"]}
    ports = {"prometheus": PROMETHEUS_PORT, "tempo": read("tempo.yml")["server"]["http_listen_port"]}
    for kind, port in ports.items():
        asked = urlsplit(sources[kind]["url"])
        assert (asked.hostname, asked.port) == (kind, port)
        assert sources[kind]["access"] == "proxy", "asked by Grafana: nobody outside reaches them"
    assert [one["type"] for one in sources.values() if one.get("isDefault")] == ["prometheus"]
    assert PROFILE["grafana"]["ports"] == [f"${{RELANCE_GRAFANA_PORT:-127.0.0.1:{GRAFANA_PORT}}}:{GRAFANA_PORT}"]


def test_grafana_finds_every_dashboard_and_where_it_asks() -> None:
    mounted = places("grafana")
    (provider,) = read("grafana/dashboards.yml")["providers"]
    folder = mounted[provider["options"]["path"]]
    assert {file.stem for file in folder.iterdir()} == set(dashboards())
    assert {path for path in mounted if path.startswith("/etc/grafana/provisioning/")} == {
        "/etc/grafana/provisioning/datasources/relance.yml",
        "/etc/grafana/provisioning/dashboards/relance.yml",
    }


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_asks_the_source_that_a_viewer_chooses(name: str) -> None:
    told = json.dumps(dashboards()[name])
    (chosen,) = dashboards()[name]["templating"]["list"]
    assert (chosen["name"], chosen["type"], chosen["query"]) == ("source", "datasource", "prometheus")
    asked = [one["datasource"] for panel in dashboards()[name]["panels"] for one in (panel, *panel["targets"])]
    assert all(one == {"type": "prometheus", "uid": "${source}"} for one in asked)
    assert "localhost" not in told


@pytest.mark.parametrize("name", PROFILE)
def test_what_watches_is_confined_as_what_it_watches(name: str) -> None:
    service = PROFILE[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "inside" in service["networks"]
    # nobody comes in but to Grafana
    assert ("ports" in service) is (name == "grafana")
