"""What an installation is made of, as CycloneDX: the Python packages of each service, and what the pages load."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from cli.auditing import CONSOLE, NPM, uv
from cli.places import ROOT, SERVICES
from cli.placing import put

READABLE = 0o644


class PartsUnknown(Exception):
    """uv or npm could not tell what something is made of."""


def write_parts(folder: Path) -> list[Path]:
    """One file per image and one of the console's pages; answers them. Raises ``PartsUnknown``."""
    extras = {service: ("--extra", service) for service in SERVICES} | {"tools": ("--all-extras",)}
    written = [put(folder / f"{image}.cdx.json", _of_python(extra), READABLE) for image, extra in extras.items()]
    return [*written, put(folder / "console-pages.cdx.json", _of_pages(), READABLE)]


def _of_python(extra: Sequence[str]) -> bytes:
    program = uv()
    if program is None:
        raise PartsUnknown("uv is needed for this: https://docs.astral.sh/uv/")
    every = ("export", "--frozen", "--no-default-groups", "--no-emit-project", "--format", "cyclonedx1.5")
    return _printed([program, *every, "--preview-features", "sbom-export", *extra], ROOT)


def _of_pages() -> bytes:
    """npm names only what has a version, which pages that are part of the console have not."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    with tempfile.TemporaryDirectory(prefix="relance-parts-") as name:
        folder = Path(name)
        package = json.loads((CONSOLE / "package.json").read_text(encoding="utf-8"))
        (folder / "package.json").write_text(json.dumps(package | {"version": version}), encoding="utf-8")
        shutil.copyfile(CONSOLE / "package-lock.json", folder / "package-lock.json")
        asking = ("sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev")
        return _printed([*NPM, *asking], folder)


def _printed(command: Sequence[str], folder: Path) -> bytes:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        raise PartsUnknown(f"{Path(command[0]).name}: {done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout
