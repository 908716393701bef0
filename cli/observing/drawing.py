"""Dashboards as pictures: each panel's queries asked of a Prometheus, drawn by ECharts in a headless Chromium.

The files in deploy/observability/dashboards are Grafana's. This draws what their panels ask, where no Grafana is;
it is not what Grafana would show to the pixel.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.observing.prometheus import Asked, Samples
from cli.pictures import chromium, whole
from cli.places import ROOT

DASHBOARDS = ROOT / "deploy/observability/dashboards"
ECHARTS = ROOT / "services/console/static/vendor/echarts.js"
TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 1440
POINTS = 240
LEAST_WINDOW_SECONDS = 15
SCALES = 1.0


class ChartsMissing(Exception):
    """What the pages load is not fetched."""

    def __init__(self) -> None:
        super().__init__(f"{ECHARTS} is missing; `relance up` fetches what the pages load")


def dashboards(folder: Path = DASHBOARDS) -> dict[str, dict[str, Any]]:
    """Every dashboard by the name of its file."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}


def queries(dashboard: Mapping[str, Any], window: float = 300) -> list[tuple[str, str]]:
    """(panel, query) with Grafana's own variables filled in, as Prometheus understands it."""
    return [
        (panel["title"], asked(target["expr"], window))
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]


def asked(expression: str, window: float) -> str:
    """A query with ``$__rate_interval`` in whole seconds."""
    return expression.replace("$__rate_interval", f"{max(LEAST_WINDOW_SECONDS, round(window))}s")


def named(legend: str, labels: Mapping[str, str]) -> str:
    """``{{service}} {{queue}}`` with a series' labels."""
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), legend)


def panels_of(
    dashboard: Mapping[str, Any], prometheus: Asked, start: float, end: float
) -> Iterator[dict[str, Any]]:
    """What is to be drawn of each panel: title, unit, stacked or not, and its series as (milliseconds, value)."""
    step = max(1.0, round((end - start) / POINTS))
    for panel in dashboard["panels"]:
        series = [
            {"name": named(target["legendFormat"], labels), "data": _with_gaps(samples, start, end, step)}
            for target in panel["targets"]
            for labels, samples in prometheus.over(asked(target["expr"], 4 * step), start, end, step)
        ]
        defaults = panel["fieldConfig"]["defaults"]
        yield {
            "title": panel["title"],
            "about": panel.get("description", ""),
            "unit": defaults["unit"],
            "stacked": defaults["custom"]["stacking"]["mode"] == "normal",
            "series": sorted(series, key=lambda one: one["name"]),
        }


def _with_gaps(samples: Samples, start: float, end: float, step: float) -> list[tuple[float, float | None]]:
    """One value per step, in milliseconds since 1970; nothing where there was none, so that no line spans it."""
    known = {round((at - start) / step): value for at, value in samples}
    return [((start + n * step) * 1000, known.get(n)) for n in range(round((end - start) // step) + 1)]


def page(title: str, panels: Sequence[Mapping[str, Any]], start: float, end: float) -> str:
    """The dashboard as a page that holds all it needs. Raises ``ChartsMissing``."""
    if not ECHARTS.exists():
        raise ChartsMissing
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("dashboard.html").render(
        title=title,
        panels=list(panels),
        start=start * 1000,
        end=end * 1000,
        echarts=ECHARTS.read_text(encoding="utf-8"),
    )


def draw(prometheus: Asked, to: Path, start: float, end: float) -> list[Path]:
    """One PNG per dashboard. Raises ``BrowserMissing``, ``ChartsMissing``."""
    to.mkdir(parents=True, exist_ok=True)
    drawn = []
    with chromium() as browser:
        for name, dashboard in dashboards().items():
            shown = browser.new_page(viewport={"width": WIDTH, "height": 900}, device_scale_factor=SCALES)
            shown.set_content(
                page(dashboard["title"], list(panels_of(dashboard, prometheus, start, end)), start, end)
            )
            whole(shown)
            drawn.append(to / f"dashboard-{name}.png")
            shown.screenshot(path=drawn[-1])
            shown.close()
    return drawn
