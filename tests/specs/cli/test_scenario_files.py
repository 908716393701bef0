"""``scenario import``: a file that cannot be taken is told by place and remedy; missing templates are named."""

from pathlib import Path

import pytest

from cli.scenarios import ScenariosRefused, read_scenarios, sentences, templates_missing


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"format": "relance.scenarios",\n "scenarios": [}', "s.json, line 2, column 16"),
        ("[]", "s.json, line 1: an export begins with {"),
    ],
)
def test_an_unreadable_file_names_line_and_column(tmp_path: Path, content: str, told: str):
    file = tmp_path / "s.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ScenariosRefused) as refused:
        read_scenarios(file)
    assert refused.value.problems[0].startswith(told)


def test_a_file_in_another_encoding(tmp_path: Path):
    file = tmp_path / "s.json"
    file.write_bytes('{"profile": "Étranger"}'.encode("cp1252"))
    with pytest.raises(ScenariosRefused, match="not written in UTF-8: export it again"):
        read_scenarios(file)


def test_fields_that_are_not_known_and_scenarios_that_cannot_work_are_named():
    unknown = {
        "errors": [
            {
                "where": "body.scenarios.0.with_email.1.delay_dayz",
                "type": "extra_forbidden",
                "message": "Extra",
            },
            {"where": "body.scenarios.0.with_email.1.delay_days", "type": "missing", "message": "Field required"},
        ]
    }
    assert sentences("s.json", unknown) == [
        "s.json, scenarios.0.with_email.1.delay_dayz: this field is not known; take it out",
        "s.json, scenarios.0.with_email.1.delay_days: Field required",
    ]
    impossible = {
        "problems": [
            {
                "profile": "Export",
                "variant": "with_email",
                "step": "R2",
                "field": "medium",
                "why": {"en": "It cannot."},
                "remedy": {"en": "Change it."},
            }
        ]
    }
    assert sentences("s.json", impossible) == ["s.json, Export, with_email, R2, medium: It cannot. Change it."]


def test_templates_that_the_company_does_not_have():
    named = [{"medium": "email", "template": "R1"}, {"medium": "letter", "template": "own"}]
    known = [{"name": "R1", "medium": "email"}, {"name": "own", "medium": "email"}]
    assert templates_missing(named, known) == [{"medium": "letter", "template": "own"}]
