"""``relance sbom``: what an installation is made of, for scanners that others have."""

import json
import tomllib
from pathlib import Path

import pytest

from cli.auditing import uv
from cli.parts import write_parts
from cli.places import ROOT, SERVICES


@pytest.mark.skipif(uv() is None, reason="uv is not installed here")
def test_every_image_and_the_pages_are_told_with_the_versions_that_are_pinned(tmp_path: Path) -> None:
    files = {file.name.removesuffix(".cdx.json"): file for file in write_parts(tmp_path)}
    assert set(files) == {*SERVICES, "tools", "console-pages"}
    told = {
        name: {part["name"]: part["version"] for part in json.loads(file.read_text())["components"]}
        for name, file in files.items()
    }
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    pinned = {one["name"]: one["version"] for one in locked if "version" in one}
    for name in (*SERVICES, "tools"):
        assert {"fastapi", "psycopg", "nats-py"} <= told[name].keys()
        assert "pytest" not in told[name], "what developers use is not delivered"
        assert told[name].items() <= pinned.items()
    assert "typst" in told["notify"]
    assert "typst" not in told["sync"]
    assert {"htmx.org", "trix", "echarts", "@tabler/core"} <= told["console-pages"].keys()
    assert "axe-core" not in told["console-pages"]
    assert all(
        part["purl"].startswith("pkg:npm/")
        for part in json.loads(files["console-pages"].read_text())["components"]
    )
