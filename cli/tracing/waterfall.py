"""The spans of one trace as a picture: what led to what, how long it took, in which service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.tracing.collector import Span

LEAST_PER_CENT = 0.15
"""So wide is a bar that would be too thin to see."""
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Bar:
    """One line of the picture: spans of one name below one parent. ``busy`` in milliseconds, ``left`` and
    ``width`` in per cent of the whole."""

    service: str
    name: str
    kind: str
    depth: int
    count: int
    failed: int
    busy: float
    left: float
    width: float


def bars_of(spans: Sequence[Span]) -> list[Bar]:
    """Top down, as they began; spans of one name below one parent are one bar."""
    if not spans:
        return []
    known = {span.span for span in spans}
    below: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        below[span.parent if span.parent in known else ""].append(span)
    began = min(span.began for span in spans)
    whole = max(max(span.ended for span in spans) - began, 1)
    return list(_bars(below, [""], 0, began, whole))


def _bars(
    below: defaultdict[str, list[Span]], parents: Sequence[str], depth: int, began: int, whole: int
) -> Iterator[Bar]:
    alike: dict[tuple[str, str, str], list[Span]] = {}
    for span in sorted((one for parent in parents for one in below[parent]), key=lambda one: one.began):
        alike.setdefault((span.service, span.name, span.kind), []).append(span)
    for (service, name, kind), spans in alike.items():
        first, last = min(one.began for one in spans), max(one.ended for one in spans)
        yield Bar(
            service=service,
            name=name,
            kind=kind,
            depth=depth,
            count=len(spans),
            failed=sum(one.failed for one in spans),
            busy=sum(one.ended - one.began for one in spans) / 1e6,
            left=100 * (first - began) / whole,
            width=max(100 * (last - first) / whole, LEAST_PER_CENT),
        )
        yield from _bars(below, [one.span for one in spans], depth + 1, began, whole)


def page(title: str, spans: Sequence[Span]) -> str:
    """The picture as an HTML page that needs nothing else."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    bars = bars_of(spans)
    seconds = (max(one.ended for one in spans) - min(one.began for one in spans)) / 1e9 if spans else 0.0
    return environment.get_template("waterfall.html").render(
        title=title,
        trace=spans[0].trace if spans else "",
        bars=bars,
        spans=len(spans),
        seconds=seconds,
        services=sorted({bar.service for bar in bars}),
    )
