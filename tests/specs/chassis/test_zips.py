"""What is handed over as a ZIP: names stay in the folder where they are unpacked, and nobody waits meanwhile."""

import asyncio
import io
import os
import zipfile

import pytest

from chassis.zips import PART_BYTES, Zipping, bare, in_parts


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


async def test_others_are_served_while_a_file_is_compressed() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    content = os.urandom(8 * PART_BYTES)
    async with Zipping() as made:
        meanwhile = asyncio.create_task(others())
        await asyncio.sleep(0)
        before = turns
        await made.add("large.bin", content)
        assert turns > before + 10
        meanwhile.cancel()
    sent = [part async for part in in_parts(made.file)]
    assert max(map(len, sent)) <= PART_BYTES
    with zipfile.ZipFile(io.BytesIO(b"".join(sent))) as whole:
        assert whole.read("large.bin") == content
    assert made.file.closed


async def test_several_bundles_become_one() -> None:
    async with Zipping() as one:
        await one.add("a/b.txt", "b")
    async with Zipping() as whole:
        await whole.add("c.txt", "c")
        await whole.add_all_of(one.file)
    with zipfile.ZipFile(whole.file) as read:
        assert {name: read.read(name) for name in read.namelist()} == {"c.txt": b"c", "a/b.txt": b"b"}


async def test_what_is_given_up_half_way_leaves_nothing() -> None:
    made = Zipping()

    async def given_up() -> None:
        async with made:
            await made.add("a.txt", "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await given_up()
    assert made.file.closed
