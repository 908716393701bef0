"""The file of levels that an older tool had reached, as people write it."""

from pathlib import Path

import pytest

from cli.levels import LevelsRefused, read_levels, sentence


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "levels.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_levels_and_days_are_read_as_people_write_them(tmp_path: Path):
    text = "client;piece;level;last_reminder\nC1;F1;r2;24/11/2026\n\nC2;F2;;\nC3;F3;3;2026-11-02\n"
    lines = read_levels(_file(tmp_path, text))
    assert [(one.number, one.wanted) for one in lines] == [
        (2, {"client_id": "C1", "piece": "F1", "level": "R2", "reminded_on": "2026-11-24"}),
        (4, {"client_id": "C2", "piece": "F2", "level": ""}),
        (5, {"client_id": "C3", "piece": "F3", "level": "R3", "reminded_on": "2026-11-02"}),
    ]


def test_the_step_that_comes_next_may_be_said_instead(tmp_path: Path):
    (line,) = read_levels(_file(tmp_path, "client,entry_id,next_step\nC1,0123456789abcdef0123456789abcdef,R3\n"))
    assert line.wanted == {
        "client_id": "C1",
        "entry_id": "0123456789abcdef0123456789abcdef",
        "next_step": "R3",
    }


def test_every_problem_names_file_line_column_and_remedy(tmp_path: Path):
    with pytest.raises(LevelsRefused) as refused:
        read_levels(_file(tmp_path, "client;piece;level;last_reminder\n;F1;R9;soon\nC2;F2;R1;\n"))
    assert [sentence(one) for one in refused.value.problems] == [
        "levels.csv, line 2, column client: it is empty: the client's code in accounting is needed",
        "levels.csv, line 2, column level: it is none of R1 to R7; leave it empty for none",
        "levels.csv, line 2, column last_reminder: it is no day: write 2026-11-24 or 24/11/2026",
    ]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "the file is empty"),
        ("piece;level\n", "name one client"),
        ("client;level\n", "name one piece"),
        ("client;piece\n", "one column is needed"),
        ("client;piece;level;next_step\n", "one column is needed"),
        ("client;piece;facture;level\n", "piece stands twice"),
    ],
)
def test_a_heading_that_lacks_something_is_refused(tmp_path: Path, text: str, remedy: str):
    with pytest.raises(LevelsRefused) as refused:
        read_levels(_file(tmp_path, text))
    assert remedy in refused.value.problems[0]["message"]
