"""The shape of the repository, held by a machine: imports, rooms, names, sizes, the clock."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.places import ROOT, SERVICES

CODE = ("contracts", "chassis", "services", "cli", "bench")
PAGE_OF_ROOMS = ROOT / "docs" / "rooms.md"
NEEDED = {"README.md", "__init__.py", "__main__.py", "main.py", "settings.py", "migrations"}
FORBIDDEN_NAMES = {
    "base.py",
    "common.py",
    "helper.py",
    "helpers.py",
    "manager.py",
    "misc.py",
    "models.py",
    "schema.py",
    "schemas.py",
    "service.py",
    "util.py",
    "utils.py",
}
CHASSIS_SERVICE = ROOT / "chassis" / "service.py"
LINES_AT_MOST = 420
DECLARATIONS = {"shapes.py", "tables.py"}
"""Declare one thing after another and are looked up, not read: they may be longer."""
DECLARED_LINES_AT_MOST = 600
CLOCK = ROOT / "chassis" / "clock.py"
CLOCK_READS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
}
UNWANTED_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
PLACES_OF_ONE_MACHINE = re.compile(r"[\"'\s](/root/|/work/|/home/\w)")


def tracked(*suffixes: str) -> list[Path]:
    """Files of the repository, without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git clone: the files cannot be listed")
    files = [ROOT / name for name in listed.stdout.splitlines() if name.endswith(suffixes)]
    return [file for file in files if file.is_file()]


def code() -> list[Path]:
    return [file for file in tracked(".py") if file.relative_to(ROOT).parts[0] in CODE]


def relative(files: Iterator[Path] | list[Path]) -> list[str]:
    return sorted(str(file.relative_to(ROOT)) for file in files)


def test_nobody_imports_across_a_boundary() -> None:
    linted = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout[-4000:]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_that_all_have(service: str) -> None:
    house = ROOT / "services" / service
    missing = {room for room in NEEDED if not (house / room).exists()}
    assert missing == set()


def rooms_named() -> dict[str, set[str]]:
    """The rooms of docs/rooms.md by service; those under an empty name every service may have."""
    named: dict[str, set[str]] = {}
    service = ""
    for line in PAGE_OF_ROOMS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            service = line.removeprefix("## ")
        elif line.startswith("| `"):
            rooms = re.findall(r"`([^`]+)`", line.split("|")[1])
            named.setdefault(service, set()).update(room.removesuffix(".py") for room in rooms)
    return named


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_that_are_named_and_no_other(service: str) -> None:
    """A new room needs a telling name, and a line in docs/rooms.md; a room that is gone has none there."""
    house = ROOT / "services" / service
    rooms = {file.relative_to(house).parts[0].removesuffix(".py") for file in tracked("") if house in file.parents}
    common, own = rooms_named()[""] | {"__init__"}, rooms_named()[service]
    assert rooms - common - own == set()
    assert own - rooms == set()


def test_no_file_has_a_name_that_means_anything() -> None:
    found = [file for file in tracked(".py") if file.name in FORBIDDEN_NAMES and file != CHASSIS_SERVICE]
    assert relative(found) == []


def test_no_file_is_longer_than_one_can_read_at_once() -> None:
    """About 300 lines is where a room is split; the ceiling is where it must be."""
    long = {
        str(file.relative_to(ROOT)): lines
        for file in code()
        if (lines := len(file.read_text(encoding="utf-8").splitlines()))
        > (DECLARED_LINES_AT_MOST if file.name in DECLARATIONS else LINES_AT_MOST)
    }
    assert long == {}


def _calls(file: Path) -> Iterator[tuple[str, str, int]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            yield name, node.func.attr, node.lineno


def test_the_wall_clock_is_read_in_one_place() -> None:
    """Everything else is given a date or an instant (architecture, Correctness 5)."""
    reads = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in code()
        if file != CLOCK
        for owner, name, line in _calls(file)
        if (owner, name) in CLOCK_READS
    ]
    assert reads == []


def test_services_write_zips_in_threads_alone() -> None:
    """Compressing a large file in the loop would keep every other request waiting: ``chassis.zips`` does not."""
    writers = []
    for file in code():
        if file.relative_to(ROOT).parts[0] != "services":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "ZipFile":
                told = [*node.args[1:2], *(one.value for one in node.keywords if one.arg == "mode")]
                if any(ast.unparse(one)[1:2] in "wax" for one in told):
                    writers.append(file)
    assert relative(writers) == []


def test_services_log_and_never_print() -> None:
    prints = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in code()
        if file.relative_to(ROOT).parts[0] in {"services", "chassis", "contracts"}
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == []


def test_nothing_is_left_to_do_in_a_comment() -> None:
    here = Path(__file__)
    found = [
        file for file in tracked(".py", ".md", ".toml") if file != here and UNWANTED_WORDS.search(_text(file))
    ]
    assert relative(found) == []


def test_no_file_names_a_place_of_one_machine() -> None:
    here = Path(__file__)
    suffixes = (".py", ".md", ".toml", ".yaml", ".yml", ".json", "relance", "run")
    found = [file for file in tracked(*suffixes) if file != here and PLACES_OF_ONE_MACHINE.search(_text(file))]
    assert relative(found) == []


def test_the_lock_names_only_the_public_index() -> None:
    lock = _text(ROOT / "uv.lock")
    assert set(re.findall(r'registry = "(https://[^"/]+)', lock)) == {"https://pypi.org"}
    assert set(re.findall(r'url = "(https://[^"/]+)', lock)) == {"https://files.pythonhosted.org"}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
