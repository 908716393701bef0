"""Inlets: places that files of a company are fetched from, when a slot says so or a person asks."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

CHUNK_BYTES = 1 << 20
SSH_PORT = 22
FOLDER = r"^[A-Za-z0-9_][A-Za-z0-9_. -]*(/[A-Za-z0-9_][A-Za-z0-9_. -]*)*$"
"""No part begins with a point, so that none leads out."""

Text = Annotated[str, Field(min_length=1, max_length=500)]


@dataclass(frozen=True)
class Found:
    """A file as its place lists it: what is fetched again is told by name, size and instant. ``name`` may hold
    bytes that are no UTF-8, as surrogates."""

    name: str
    size: int
    modified: datetime

    @property
    def known_as(self) -> str:
        """The name as PostgreSQL can keep it; two files never share one."""
        return self.name.encode("utf-8", "backslashreplace").decode()

    @property
    def shown(self) -> str:
        """The name for people: one that is no UTF-8 comes from a Windows of Western Europe."""
        raw = self.name.encode("utf-8", "surrogateescape")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("cp1252", "replace")


class FetchRefused(Exception):
    """Nothing can be fetched; ``code`` names why, ``details`` fill its wording."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class FileUnreadable(Exception):
    """This one file cannot be fetched; the others of its place can. ``code`` and ``details`` as above."""

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


class StillWritten(Exception):
    """The file is not what it was listed as any more."""


class Opened(Protocol):
    """A place that is open."""

    async def files(self) -> list[Found]:
        """Raises ``FetchRefused``."""
        ...

    def content(self, found: Found) -> AsyncIterator[bytes]:
        """The bytes of a file, a piece at a time. Raises ``FileUnreadable`` and ``StillWritten``."""
        ...


class Place(Protocol):
    def open(self) -> AbstractAsyncContextManager[Opened]:
        """Raises ``FetchRefused``."""
        ...


class FolderPlace(BaseModel):
    """A folder of this machine, below the one that the installation gives the company."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["folder"]
    folder: Annotated[str, Field(max_length=200, pattern=FOLDER)]


class SftpPlace(BaseModel):
    """A folder of another machine.

    ``host_key`` is its public key as ssh-keyscan prints it, without the name: a machine with another key is not
    spoken to. ``secret`` names the file of the installation that holds the password or the private key; it never
    enters the database.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["sftp"]
    host: Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
    port: int = Field(SSH_PORT, ge=1, le=65_535)
    user: Text
    folder: Text = "."
    host_key: Annotated[str, Field(max_length=2_000, pattern=r"^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$")]
    secret: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class Inlet(BaseModel):
    """Where files come from, which of them (``pattern``, with ``*`` and ``?``), and how they are read: ``fec`` or
    the name of a mapping. A watched inlet is looked into every minute."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: Annotated[FolderPlace | SftpPlace, Field(discriminator="kind")]
    pattern: Text = "*"
    reading: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")] = "fec"
    watched: bool = False
