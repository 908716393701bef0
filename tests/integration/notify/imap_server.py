"""A real IMAP server (pymap) in this process, encrypted from the start or by STARTTLS, and what people see."""

import asyncio
import ssl
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proxyprotocol.noop import ProxyProtocolNoop
from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, DictBackend
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag, Seen
from pysasl import SASLAuth
from pysasl.mechanism import ServerMechanism

from chassis.server_process import free_port
from tests.serving import closed_at_the_end

USER, PASSWORD = "retours@delcourt.example", "s3cret é"
FOLDER, AWAY = "INBOX", "Relance"


@dataclass
class Mailbox:
    """One person's mails. ``ports`` are those of ``tls`` and ``starttls``."""

    backend: DictBackend
    ports: dict[str, int] = field(default_factory=dict)
    connections: int = 0

    async def _folder(self, name: str = FOLDER) -> Any:
        identity = self.backend.login.demo_user_identity
        async with identity.new_session() as session:
            return await session.mailbox_set.get_mailbox(name)

    async def arrives(self, raw: bytes, *, seen: bool = False) -> int:
        """A mail, as a server keeps it; answers its UID."""
        folder = await self._folder()
        flags: frozenset[Flag] = frozenset({Seen}) if seen else frozenset()
        mail = AppendMessage(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), datetime.now(UTC), flags)
        return int((await folder.append(mail)).uid)

    async def lying(self, name: str = FOLDER) -> dict[int, bool]:
        """The UIDs in a folder; true: read."""
        try:
            folder = await self._folder(name)
        except KeyError:
            return {}
        return {message.uid: Seen in message.permanent_flags async for message in folder.messages()}

    async def emptied(self) -> None:
        """Somebody took every mail out of the folder."""
        folder = await self._folder()
        await folder.delete([message.uid async for message in folder.messages()])

    async def made_anew(self) -> None:
        """The server restored the mailbox from a copy: its UIDs mean nothing any more."""
        folder = await self._folder()
        folder._uid_validity += 1


@asynccontextmanager
async def mailbox(certificate: Path, tokens: ServerMechanism | None = None) -> AsyncIterator[Mailbox]:
    """``tokens``: the only way to sign in."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    args = Namespace(
        host=None, port="0", cert=None, key=None, tls=True, proxy_protocol=None, inherited_sockets=None,
        debug=False, demo_data=False, demo_user=USER, demo_password=PASSWORD, passlib_cfg=None,
    )  # fmt: skip
    backend, config = await DictBackend.init(args, ssl_context=tls)
    config._tls_enabled = False
    if tokens is not None:
        config.__class__ = type("ByTokens", (Config,), {"tls_auth": property(lambda _: SASLAuth([tokens]))})
    _, plain = await DictBackend.init(args, ssl_context=tls)
    found = Mailbox(backend)

    async def serve(settings: Any, **how: Any) -> asyncio.Server:
        server = IMAPServer(backend.login, settings)

        async def counted(*args: Any) -> None:
            found.connections += 1
            await server(*args)

        reader = ProxyProtocolReader(ProxyProtocolNoop())
        return await asyncio.start_server(reader.get_callback(counted), "127.0.0.1", **how)

    found.ports = {"tls": free_port(), "starttls": free_port()}
    first = await serve(config, port=found.ports["tls"], ssl=tls)
    second = await serve(plain, port=found.ports["starttls"])
    with closed_at_the_end(first, second):
        yield found
