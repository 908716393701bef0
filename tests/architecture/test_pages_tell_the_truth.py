"""Pages tell the truth: each command that one names exists and takes the options it is given, as those do that
alerts and refusals name; each link and each path leads to a file."""

import ast
import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from cli.app import app
from cli.places import ROOT
from tests.architecture.test_boundaries import code, tracked
from tests.integration.leaving.wiring import wired

PAGES = [
    page
    for page in tracked(".md", ".yaml", ".yml")
    if page.relative_to(ROOT).parts[0] in {"README.md", "docs", "deploy"}
]
FENCED = re.compile(r"^```.*?$(.*?)^```$", re.M | re.S)
INLINE = re.compile(r"`([^`\n]+)`")
STARTS = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\./)?relance (.+)$|python -P? ?-m cli (.+)$")
LINK = re.compile(r"\]\(([^)#\s]+)")
PATH = re.compile(r"`((?!/)[a-z_][\w./-]*/[\w.-]+\.(?:py|md|yaml|yml|toml))`")
IN_SENTENCES = re.compile(r"(?:^|: |`|\()relance ([a-z].*)$", re.M)
ENDS = re.compile(r"[|;&<>#`),]|$")
PLACEHOLDER = re.compile(r"[A-Z…\[{<]")
LEAST_FOUND = 60
"""So many calls are found at least: the patterns above still see what they are for."""


@pytest.fixture(scope="module")
def relance() -> TyperGroup:
    runpy.run_module("cli.__main__", run_name="seen")
    known = typer.main.get_command(app)
    assert isinstance(known, TyperGroup)
    return known


def in_page(page: Path) -> Iterator[str]:
    """The words after ``relance`` of each call that a page shows."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    shown = [line.strip() for block in FENCED.findall(text) for line in block.splitlines()]
    shown += INLINE.findall(FENCED.sub("", text)) if page.suffix == ".md" else text.splitlines()
    for line in shown:
        if found := STARTS.search(line) or (None if page.suffix == ".md" else IN_SENTENCES.search(line)):
            yield next(group for group in found.groups() if group)


def in_code(file: Path) -> Iterator[str]:
    """Those that sentences for people name: what is wrong, and the remedy."""
    text = file.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)) if "relance " in text else ():
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield from IN_SENTENCES.findall("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from IN_SENTENCES.findall(node.value)


def wrong_in(call: str, relance: TyperGroup) -> str | None:
    """What of a call the command line does not know; what stands for something else is passed over."""
    at: typer.core.TyperCommand | TyperGroup = relance
    options = {"-h", "--help"}
    for word in call[: ENDS.search(call).start()].split():  # type: ignore[union-attr]
        name = word.rstrip(".:")
        if word.startswith("-"):
            if name.split("=")[0] not in options:
                return f"{name} is no option of {at.name}"
        elif isinstance(at, TyperGroup):
            if PLACEHOLDER.match(word):
                return None
            # a company's slug, where no command is: it is registered
            default = at.commands.get("register") if at.name == "company" else None
            found = at.commands.get(name, default)
            if found is None:
                return f"{name} is no command of {at.name}"
            at = found
            options |= {option for one in at.params for option in (*one.opts, *one.secondary_opts)}
    return None


def test_every_command_of_a_page_exists(relance: TyperGroup) -> None:
    calls = [(page, call) for page in PAGES for call in in_page(page)]
    assert len(calls) >= LEAST_FOUND
    wrong = [
        f"{page.relative_to(ROOT)}: relance {call}: {why}"
        for page, call in calls
        if (why := wrong_in(call, relance))
    ]
    assert wrong == []


def test_every_command_of_a_sentence_exists(relance: TyperGroup) -> None:
    files = [file for file in code() if file.relative_to(ROOT).parts[:2] != ("services", "console")]
    wrong = [
        f"{file.relative_to(ROOT)}: relance {call}: {why}"
        for file in files
        for call in in_code(file)
        if (why := wrong_in(call, relance))
    ]
    assert wrong == []


def test_every_command_of_the_table_of_commands_exists(relance: TyperGroup) -> None:
    """In README.md, alternatives stand with slashes: `` `rebuild start / compare` ``."""
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    cells = [span for row in rows for span in INLINE.findall(row) if not span.endswith("/")]
    assert len(cells) >= 30
    wrong = []
    for cell in cells:
        *path, last = cell.split(" / ")[0].split()
        calls = [cell] if " / " not in cell else [" ".join([*path, one]) for one in (last, *cell.split(" / ")[1:])]
        wrong += [f"{call}: {why}" for call in calls if (why := wrong_in(call, relance))]
    assert wrong == []


def test_the_table_of_commands_names_every_command(relance: TyperGroup) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    spans = " ".join(INLINE.findall(readme[readme.index("## Commands") :]))
    shown = {name for name, command in relance.commands.items() if not command.hidden}
    assert {name for name in shown if not re.search(rf"(?<![\w-]){name}(?![\w-])", spans)} == set()


def test_every_link_and_every_path_of_a_page_leads_to_a_file() -> None:
    files = {str(file.relative_to(ROOT)) for file in tracked("")}
    places = files | {str(folder) for name in files for folder in Path(name).parents}
    wrong = []
    for page in tracked(".md"):
        here = page.relative_to(ROOT).parent
        text = FENCED.sub("", page.read_text(encoding="utf-8"))
        links = [link for link in LINK.findall(text) if not link.startswith(("http", "mailto:"))]
        wrong += [f"{here}: {link}" for link in links if os.path.normpath(here / link) not in places]
        # a path may begin at the page's own folder, and lead out of a folder that the sentence names
        ends = tuple(f"/{name}" for name in PATH.findall(text))
        wrong += [f"{here}: {end}" for end in ends if not any(f"/{name}".endswith(end) for name in files)]
    assert wrong == []


LISTENS, SAYS = (
    re.compile(r"^\| \*\*Listens to\*\* \|(.*)\|$", re.M),
    re.compile(r"^\| \*\*Says\*\* \|(.*)\|$", re.M),
)
EVENT = re.compile(r"`([A-Z]\w+)`")


@pytest.mark.parametrize("service", ["ledger", "dunning", "notify"])
def test_a_service_listens_to_what_its_page_names(service: str) -> None:
    """Of dunning's, what makes no row is named as such: who looks for it in the projection looks in vain."""
    page = (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")
    listens, says = (found.group(1) for row in (LISTENS, SAYS) if (found := row.search(page)))
    told, _, rowless = listens.partition(" Of these ")
    wiring = wired(service)
    heard = {*wiring.project, *wiring.react}
    own = set(EVENT.findall(says))
    assert set(EVENT.findall(told)) == heard - own
    assert set(EVENT.findall(rowless)) == (heard - set(wiring.project) - own if service == "dunning" else set())
