"""Files in a folder of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.sync.inlets import CHUNK_BYTES, FetchRefused, Found


class Folder:
    """``root`` is the folder that the installation gives the company; nothing outside it is read, whatever links
    say."""

    def __init__(self, root: Path | None, folder: str) -> None:
        self._root = root
        self._folder = folder

    @asynccontextmanager
    async def open(self) -> AsyncIterator["_OpenFolder"]:
        if self._root is None:
            raise FetchRefused("inbox_unset")
        path = self._root / self._folder
        if not await asyncio.to_thread(path.is_dir):
            raise FetchRefused("folder_missing", folder=self._folder)
        yield _OpenFolder(self._root.resolve(), path)


class _OpenFolder:
    def __init__(self, root: Path, path: Path) -> None:
        self._root = root
        self._path = path

    async def files(self) -> list[Found]:
        return await asyncio.to_thread(self._list)

    def _list(self) -> list[Found]:
        found = []
        for path in self._path.iterdir():
            if path.is_file() and path.resolve().is_relative_to(self._root):
                known = path.stat()
                found.append(Found(path.name, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC)))
        return found

    async def content(self, name: str) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread((self._path / name).open, "rb")
        try:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk
        finally:
            file.close()
