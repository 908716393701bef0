"""Files in a folder of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from services.sync.inlets import CHUNK_BYTES, FetchRefused, FileUnreadable, Found, StillWritten


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
        try:
            if not await asyncio.to_thread(path.is_dir):
                raise FetchRefused("folder_missing", folder=self._folder)
            root = await asyncio.to_thread(self._root.resolve)
        except OSError as error:
            raise _unreadable(self._folder, error) from error
        yield _OpenFolder(root, path, self._folder)


class _OpenFolder:
    def __init__(self, root: Path, path: Path, folder: str) -> None:
        self._root = root
        self._path = path
        self._folder = folder

    async def files(self) -> list[Found]:
        try:
            return await asyncio.to_thread(self._list)
        except OSError as error:
            raise _unreadable(self._folder, error) from error

    def _list(self) -> list[Found]:
        found = []
        for path in self._path.iterdir():
            try:
                if not (path.is_file() and path.resolve().is_relative_to(self._root)):
                    continue
                known = path.stat()
            except FileNotFoundError:
                continue  # taken away meanwhile
            found.append(Found(path.name, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC)))
        return found

    async def content(self, found: Found) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread((self._path / found.name).open, "rb")
            try:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk
            finally:
                file.close()
        except FileNotFoundError as gone:
            raise StillWritten(found.known_as) from gone
        except OSError as error:
            raise FileUnreadable("file_unreadable", file=found.shown, error=type(error).__name__) from error


def _unreadable(folder: str, error: OSError) -> FetchRefused:
    return FetchRefused("inbox_unreadable", folder=folder, error=type(error).__name__)
