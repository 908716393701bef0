"""Files on another machine, over SFTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh

from chassis.guard import AddressRefused, Network, connected
from services.sync.inlets import (
    CHUNK_BYTES,
    SSH_PORT,
    FetchRefused,
    FileUnreadable,
    Found,
    SftpPlace,
    StillWritten,
)

CONNECT_SECONDS = 15
ANSWER_SECONDS = 60.0
"""A machine that does not answer a question for as long is given up."""
KEEPALIVE_SECONDS = 15


class Sftp:
    """``secrets`` is the folder in which the installation keeps passwords and private keys; ``networks`` are those
    besides the public internet that may be connected to."""

    def __init__(self, place: SftpPlace, secrets: Path | None, networks: Sequence[Network] = ()) -> None:
        self._place = place
        self._secrets = secrets
        self._networks = networks

    @asynccontextmanager
    async def open(self) -> AsyncIterator["_OpenSftp"]:
        place = self._place
        where = f"{place.host}:{place.port}"
        options = self._options()
        try:
            # what was judged is what is connected to
            road = await connected(place.host, place.port, self._networks, CONNECT_SECONDS)
            async with asyncssh.connect(
                place.host, place.port, username=place.user, sock=road, **options
            ) as connection:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        client = await connection.start_sftp_client(path_errors="surrogateescape")
                    yield _OpenSftp(client, place.folder)
                except BaseException:
                    connection.abort()  # to take leave of a machine that fell silent is to wait for it
                    raise
        except AddressRefused as inside:
            raise FetchRefused("host_inside", host=place.host) from inside
        except asyncssh.HostKeyNotVerifiable as other:
            raise FetchRefused("host_key_differs", host=where) from other
        except asyncssh.PermissionDenied as denied:
            raise FetchRefused("login_refused", host=where, user=place.user) from denied
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection) as error:
            raise FetchRefused("host_unreachable", host=where, error=type(error).__name__) from error
        except asyncssh.SFTPError as error:
            raise FetchRefused("folder_unreadable", host=where, folder=place.folder, error=error.reason) from error
        except (OSError, TimeoutError, asyncssh.Error) as error:
            raise FetchRefused("host_unreachable", host=where, error=type(error).__name__) from error

    def _options(self) -> dict[str, Any]:
        """Nothing of the machine's own SSH settings counts: what is asked for is what is done."""
        place = self._place
        named = place.host if place.port == SSH_PORT else f"[{place.host}]:{place.port}"
        options: dict[str, Any] = {
            "known_hosts": asyncssh.import_known_hosts(f"{named} {place.host_key}\n"),
            "config": [],
            "agent_path": None,
            "client_keys": [],
            "connect_timeout": CONNECT_SECONDS,
            "login_timeout": CONNECT_SECONDS,
            "keepalive_interval": KEEPALIVE_SECONDS,
        }
        secret = self._secret()
        if "PRIVATE KEY" in secret:
            try:
                options["client_keys"] = [asyncssh.import_private_key(secret)]
            except asyncssh.KeyImportError as unreadable:
                raise FetchRefused("secret_unreadable", secret=place.secret) from unreadable
        else:
            options["password"] = secret.strip()
        return options

    def _secret(self) -> str:
        if self._secrets is None:
            raise FetchRefused("secret_missing", secret=self._place.secret)
        try:
            return (self._secrets / self._place.secret).read_text(encoding="utf-8")
        except OSError as missing:
            raise FetchRefused("secret_missing", secret=self._place.secret) from missing


class _OpenSftp:
    def __init__(self, client: asyncssh.SFTPClient, folder: str) -> None:
        self._client = client
        self._folder = folder

    async def files(self) -> list[Found]:
        async with asyncio.timeout(ANSWER_SECONDS):
            entries = await self._client.readdir(self._folder)
        return [
            Found(
                str(entry.filename),
                entry.attrs.size or 0,
                datetime.fromtimestamp(entry.attrs.mtime or 0, UTC),
            )
            for entry in entries
            if entry.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR
        ]

    async def content(self, found: Found) -> AsyncIterator[bytes]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                file = await self._client.open(f"{self._folder}/{found.name}", "rb")
            while chunk := await self._piece(file):
                yield chunk
            async with asyncio.timeout(ANSWER_SECONDS):
                await file.close()
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            raise
        except asyncssh.SFTPNoSuchFile as gone:
            raise StillWritten(found.known_as) from gone
        except asyncssh.SFTPError as error:
            raise FileUnreadable("file_unreadable", file=found.shown, error=type(error).__name__) from error

    async def _piece(self, file: asyncssh.SFTPClientFile) -> bytes:
        async with asyncio.timeout(ANSWER_SECONDS):
            chunk = await file.read(CHUNK_BYTES)
        assert isinstance(chunk, bytes)
        return chunk
