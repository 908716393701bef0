"""``template export | check | import``: what cannot be taken is told by its place (rule 13.7)."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.road import RoadBlocked
from cli.templates import TemplatesRefused, export_templates, import_templates

TEXT = {
    "name": "doux",
    "medium": "email",
    "language": "fr",
    "subject": "Rappel",
    "body": "%total%",
    "form": "text",
}
FILE = {"format": "relance.templates", "version": 1, "templates": [TEXT]}


class Company:
    """The road to a company, as far as it is walked here."""

    def __init__(self, problem: dict[str, Any] | None = None) -> None:
        self.problem = problem
        self.asked: list[tuple[Any, bool]] = []

    def ask_of(self, service: str, method: str, path: str, **request: Any) -> dict[str, Any]:
        if path == "/templates/export":
            names = request["params"].get("name", ["doux"])
            return FILE | {"templates": [TEXT] if "doux" in names else []}
        dry_run = request["params"]["dry_run"]
        self.asked.append((request["json"], dry_run))
        if self.problem:
            raise RoadBlocked("refused", self.problem)
        return {"dry_run": dry_run, "imported": [TEXT | {"version": 1, "state": "new"}]}


def test_what_is_exported_is_what_is_taken(tmp_path: Path) -> None:
    """Rule 13.7."""
    file, company = tmp_path / "t.json", Company()
    export_templates(company, [], file)  # type: ignore[arg-type]
    assert json.loads(file.read_text(encoding="utf-8")) == FILE
    taken = import_templates(company, file, dry_run=True)  # type: ignore[arg-type]
    assert (taken["file"], taken["imported"][0]["state"], company.asked) == ("t.json", "new", [(FILE, True)])


def test_a_text_that_is_not_there_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(TemplatesRefused, match="no text of its own called gone: leave it out"):
        export_templates(Company(), ["gone"], None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (
            {
                "problems": [
                    {
                        "name": "doux",
                        "medium": "email",
                        "language": "fr",
                        "field": "body",
                        "line": 3,
                        "column": 12,
                        "message_en": "The tag %totall% does not exist.",
                    }
                ]
            },
            "t.json, doux (email, fr), body, line 3, column 12: The tag %totall% does not exist.",
        ),
        (
            {"twice": [{"name": "doux", "medium": "email", "language": "fr"}]},
            "t.json: doux (email, fr) stands twice; leave it once",
        ),
        (
            {"errors": [{"where": "body.templates.0.bodi", "type": "extra_forbidden", "message": "Extra"}]},
            "t.json, templates.0.bodi: this field is not known; take it out",
        ),
    ],
)
def test_a_refusal_names_its_place(tmp_path: Path, problem: dict[str, Any], told: str) -> None:
    file = tmp_path / "t.json"
    file.write_text(json.dumps(FILE), encoding="utf-8")
    with pytest.raises(TemplatesRefused) as refused:
        import_templates(Company(problem), file, dry_run=False)  # type: ignore[arg-type]
    assert refused.value.problems == [told]


def test_an_unreadable_file_names_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text('{"format": [}', encoding="utf-8")
    with pytest.raises(TemplatesRefused) as refused:
        import_templates(Company(), file, dry_run=False)  # type: ignore[arg-type]
    assert refused.value.problems[0].startswith("t.json, line 1, column 13")


def test_another_refusal_is_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text(json.dumps(FILE), encoding="utf-8")
    with pytest.raises(RoadBlocked):
        import_templates(Company({"type": "role-insufficient"}), file, dry_run=False)  # type: ignore[arg-type]
