"""Alerts and dashboards ask for what the services do measure, and tell an operator where to read on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from chassis import measures
from chassis.transport import RequestMetrics
from cli.observing.drawing import _with_gaps, asked, dashboards, named, queries
from cli.places import ROOT
from services.reporting import money
from tests.observability.rules import FILE, GROUPS, RULES, SHORTENED, shortened

OF_PROMETHEUS = {"up", "process_start_time_seconds", "process_resident_memory_bytes"}
NAME = re.compile(r"\b(?:relance_\w+|up|process_\w+)(?=[{\[) ]|$)")
DASHBOARDS = dashboards()


async def _nothing(*_: object) -> None:
    pass


def _names(measure: MetricWrapperBase) -> set[str]:
    name: str = measure._name
    if isinstance(measure, Counter):
        return {f"{name}_total"}
    if isinstance(measure, Histogram):
        return {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    return {name}


@pytest.fixture(scope="module")
def measured() -> set[str]:
    requests = RequestMetrics(_nothing, CollectorRegistry()).seconds
    every = [*measures.METRICS, *money.MEASURES, requests]
    return OF_PROMETHEUS.union(*(_names(one) for one in every))


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_asks_for_what_is_measured_and_names_a_page(alert: str, measured: set[str]) -> None:
    rule = RULES[alert]
    asks = set(NAME.findall(rule["expr"]))
    assert asks
    assert asks <= measured
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    page = (ROOT / rule["annotations"]["runbook_url"]).read_text(encoding="utf-8")
    assert f"`{alert}`" in page.partition("**What it means")[0]
    assert "**What to do**" in page


def test_every_alert_has_its_short_form_for_the_test_that_provokes_it() -> None:
    assert set(SHORTENED) == set(RULES)
    assert shortened()


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_asks_for_what_is_measured(name: str, measured: set[str]) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["uid"] == f"relance-{name}"
    identities = [panel["id"] for panel in dashboard["panels"]]
    assert len(identities) == len(set(identities))
    for panel, query in queries(dashboard):
        asks = set(NAME.findall(query))
        assert asks, panel
        assert asks <= measured, panel


def test_the_guide_tells_of_every_measure_and_every_alert(measured: set[str]) -> None:
    guide = (ROOT / "docs/guide/observing.md").read_text(encoding="utf-8")
    told = {re.sub("_(bucket|count|sum)$", "", name) for name in measured - OF_PROMETHEUS} | set(RULES)
    assert sorted(name for name in told if f"`{name}`" not in guide) == []


def test_no_label_could_hold_a_client_or_a_person() -> None:
    labels = {label for one in (*measures.METRICS, *money.MEASURES) for label in one._labelnames}
    assert labels == {
        "service", "stream", "reason", "speaker", "queue", "status", "part", "company", "currency", "medium",
        "beside",
    }  # fmt: skip


def test_what_grafana_fills_in_is_filled_in_for_a_picture() -> None:
    assert asked("rate(a[$__rate_interval])", 7.6) == "rate(a[15s])"
    assert asked("rate(a[$__rate_interval])", 61) == "rate(a[61s])"
    assert named("{{service}} hears {{ stream }}{{none}}", {"service": "dunning", "stream": "ledger"}) == (
        "dunning hears ledger"
    )


def test_a_line_does_not_span_what_was_not_measured() -> None:
    assert _with_gaps([(100.0, 1.0), (104.0, 3.0)], 100, 105, 2) == [
        (100_000, 1.0),
        (102_000, None),
        (104_000, 3.0),
    ]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
def test_prometheus_understands_the_rules_and_every_query(tmp_path: Path) -> None:
    rules = [
        f"  - record: asked:{name}:{number}\n    expr: >-\n      {query}\n"
        for name, dashboard in DASHBOARDS.items()
        for number, (_, query) in enumerate(queries(dashboard))
    ]
    (tmp_path / "queries.yml").write_text(
        "groups:\n- name: dashboards\n  rules:\n" + "".join(rules), encoding="utf-8"
    )
    for file in (FILE, tmp_path / "queries.yml"):
        done = subprocess.run(
            ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes_is_given_the_same_rules() -> None:
    operator = ROOT / "deploy/kubernetes/components/observability/rules.yaml"
    assert yaml.safe_load(operator.read_text(encoding="utf-8"))["spec"]["groups"] == GROUPS


def test_what_is_beside_compose_is_pinned_and_finds_its_files() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    beside = {name: one for name, one in compose.items() if one.get("profiles") == ["observability"]}
    assert set(beside) == {"collector", "tempo", "prometheus", "grafana"}
    for name, service in beside.items():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), name
        files = [mount.split(":")[0] for mount in service["volumes"] if mount.startswith("./")]
        assert [file for file in files if not (ROOT / file).exists()] == []
        for file in files:
            if file.endswith(".yml"):
                assert yaml.safe_load((ROOT / file).read_text(encoding="utf-8")), file
