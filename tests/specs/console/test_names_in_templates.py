"""What the frame of all pages calls something, no page calls something else: the frame's would win, silently."""

import ast
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

CONSOLE = Path("services/console")
FRAMES = ("base.html", "frame.html")


def names_of_frames() -> set[str]:
    """Set or imported outside every block."""
    found: set[str] = set()
    for frame in FRAMES:
        tree = Environment(extensions=["jinja2.ext.i18n"]).parse(
            (CONSOLE / "templates" / frame).read_text(encoding="utf-8")
        )
        for part in tree.body:
            if isinstance(part, nodes.FromImport):
                found |= {one if isinstance(one, str) else one[1] for one in part.names}
            elif isinstance(part, nodes.Import):
                found.add(part.target)
            elif isinstance(part, nodes.Assign) and isinstance(part.target, nodes.Name):
                found.add(part.target.name)
            elif isinstance(part, nodes.Macro):
                found.add(part.name)
    return found


def given_by(module: Path) -> set[str]:
    """What a module of pages gives to templates by name."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    templates = [call for call in calls if any(_is_template(argument) for argument in call.args)]
    return {keyword.arg for call in templates for keyword in call.keywords if keyword.arg}


def _is_template(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Constant) and str(argument.value).endswith(".html")


def test_the_frame_has_names() -> None:
    assert {"sub_menus", "menu_groups"} <= names_of_frames()


@pytest.mark.parametrize("module", sorted((CONSOLE / "pages").glob("*.py")), ids=lambda module: module.stem)
def test_no_page_gives_what_the_frame_calls_otherwise(module: Path) -> None:
    assert not given_by(module) & names_of_frames()
