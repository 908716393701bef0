"""What services hand over as one ZIP: names that are safe to unpack, and the file in parts."""

from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import IO

PART_BYTES = 1 << 20


def bare(name: str) -> str:
    """The last part of a file's name: whoever unpacks it stays in the folder chosen."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(one for one in last if one.isprintable())
    return shown if shown.strip(". ") else "file"


async def in_parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file, for an answer that is streamed; closed at its end, or where nobody reads on."""
    with file:
        while part := file.read(PART_BYTES):
            yield part
