"""What services hand over as one ZIP: names that are safe to unpack, and the file written and sent in parts.

Compressing keeps a core busy for seconds: it is done in threads, so that the process answers others meanwhile. No
more than one file is in memory at a time; what is larger than ``IN_MEMORY`` altogether lies on disk.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO

PART_BYTES = 1 << 20
IN_MEMORY = 8 << 20


def bare(name: str) -> str:
    """The last part of a file's name: whoever unpacks it stays in the folder chosen."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(one for one in last if one.isprintable())
    return shown if shown.strip(". ") else "file"


class Zipping:
    """A ZIP while it is written: ``async with Zipping() as made``, then ``made.file`` from its beginning. Left by
    an error, it is gone."""

    def __init__(self, compression: int = zipfile.ZIP_DEFLATED) -> None:
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed once it is sent
            max_size=IN_MEMORY, prefix="relance-zip-"
        )
        self._zip = zipfile.ZipFile(self.file, "w", compression)
        self._writing = threading.Lock()

    async def __aenter__(self) -> Zipping:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._in_turn, self._finish if error is None else self._give_up)

    async def add(self, name: str | zipfile.ZipInfo, content: bytes | str) -> None:
        """One file, by its name or with what else is to be told of it."""
        await asyncio.to_thread(self._in_turn, lambda: self._zip.writestr(name, content))

    async def add_all_of(self, bundle: IO[bytes]) -> None:
        """Every file of another ZIP, part by part. Raises ``zipfile.BadZipFile``."""
        await asyncio.to_thread(self._in_turn, lambda: self._copy(bundle))

    def _copy(self, bundle: IO[bytes]) -> None:
        with zipfile.ZipFile(bundle) as files:
            for member in files.infolist():
                with files.open(member) as source, self._zip.open(member.filename, "w") as target:
                    shutil.copyfileobj(source, target, PART_BYTES)

    def _finish(self) -> None:
        self._zip.close()
        self.file.seek(0)

    def _give_up(self) -> None:
        self._zip.close()
        self.file.close()

    def _in_turn(self, write: Callable[[], object]) -> None:
        # a request that is given up leaves its thread at work: nobody closes the file under it
        with self._writing:
            write()


async def in_parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    """The file, for an answer that is streamed; closed at its end, or where nobody reads on."""
    with file:
        while part := await asyncio.to_thread(file.read, PART_BYTES):
            yield part
