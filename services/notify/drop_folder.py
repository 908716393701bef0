"""The drop folder of a company: mails as files, put there by a mail server or a person.

A file that was read moves to ``read``; one that speaks of no message of ours, or is no mail, to ``aside``, where a
person finds it. Nothing is deleted, and a file moves only after what it says is committed.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from chassis import clock
from services.notify.reports.reading import LARGEST_BYTES

READ, ASIDE = "read", "aside"
SETTLE_SECONDS = 2.0
"""A file that changed since may still be written."""
AT_A_TIME = 200


class PlaceUnreadable(Exception):
    """A place cannot be used now; ``code`` says why, ``words`` what its server or the network said."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(f"{code}: {words}" if words else code)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Arrived:
    """A mail that lies in a place. ``raw`` is empty when it is larger than any report."""

    name: str
    raw: bytes


class DropFolder:
    """Its functions block: they are called in a thread."""

    name = "folder"

    def __init__(self, folder: Path, settle_seconds: float = SETTLE_SECONDS) -> None:
        self.folder = folder
        self.settle_seconds = settle_seconds

    def names(self) -> list[str]:
        """What lies there, but for files begun with a point, links and folders. Raises ``PlaceUnreadable``."""
        try:
            with os.scandir(self.folder) as listed:
                return sorted(
                    one.name for one in listed if one.name[0] != "." and one.is_file(follow_symlinks=False)
                )
        except OSError as failure:
            raise PlaceUnreadable("folder_unreadable") from failure

    def arrived(self, name: str) -> Arrived | None:
        """One of them; ``None`` while it may still be written, and when another process was faster.

        Raises ``PlaceUnreadable``.
        """
        path = self.folder / name
        try:
            told = path.stat()
            if clock.now().timestamp() - told.st_mtime < self.settle_seconds:
                return None
            return Arrived(name, path.read_bytes() if told.st_size <= LARGEST_BYTES else b"")
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise PlaceUnreadable("file_unreadable") from failure

    def settle(self, arrived: Arrived, *, bound: bool) -> None:
        """Put a file away under its own name, numbered where that is taken. Raises ``PlaceUnreadable``."""
        away = self.folder / (READ if bound else ASIDE)
        try:
            away.mkdir(exist_ok=True)
            target, n = away / arrived.name, 1
            while target.exists():
                target, n = away / f"{n}-{arrived.name}", n + 1
            (self.folder / arrived.name).rename(target)
        except FileNotFoundError:
            return
        except OSError as failure:
            raise PlaceUnreadable("folder_not_writable") from failure
