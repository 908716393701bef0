"""Names of files that a person is handed stay in the folder where they are unpacked."""

import pytest

from chassis.zips import bare


@pytest.mark.parametrize(
    ("sent", "unpacked"),
    [
        ("photo.png", "photo.png"),
        ("../../photo.png", "photo.png"),
        (r"C:\\Users\\lise\\photo.png", "photo.png"),
        ("..", "file"),
        ("photos/..", "file"),
        (". .", "file"),
        ("\x00", "file"),
        ("", "file"),
    ],
)
def test_a_name_is_its_last_part_and_never_the_folder_above(sent: str, unpacked: str) -> None:
    assert bare(sent) == unpacked
