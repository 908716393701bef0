"""Files that go with messages: kept once by their hash, however many messages carry them.

A message that carries files is kept without them; ``Mail.cut`` says where they stand, and what left is put
together from the same bytes again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from email.utils import encode_rfc2231
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver

MOST_FILES = 15
MOST_BYTES = 15 * 1024 * 1024
LINE = 57
"""Bytes of a line of base64, 76 characters."""

KEEP = text(
    """
    insert into attachment (company, sha256, media_type, bytes, content)
    values (:company, :sha256, :media_type, :bytes, :content)
    on conflict (company, sha256) do update set kept_at = now()
    """
)
KNOWN = text("select sha256, bytes from attachment where company = :company and sha256 = any(:digests)")
CONTENTS = "select sha256, content from attachment where company = %(company)s and sha256 = any(%(digests)s)"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message. ``sha256`` names its content, hexadecimal; ``name`` is what the recipient sees."""

    sha256: str
    name: str
    media_type: str
    bytes: int = 0

    def body(self) -> dict[str, Any]:
        """As it is kept beside drafts and messages."""
        return {"sha256": self.sha256, "name": self.name, "media_type": self.media_type, "bytes": self.bytes}


class Kept(Protocol):
    """A message without its files."""

    @property
    def raw(self) -> bytes: ...

    @property
    def cut(self) -> int:
        """Where its files stand."""

    @property
    def files(self) -> tuple[File, ...]: ...

    @property
    def boundary(self) -> str:
        """Before each of its parts."""


class AttachmentMissing(LookupError):
    """A file of a message is not kept any more."""


def files_of(kept: Sequence[Mapping[str, Any]] | None) -> tuple[File, ...]:
    """Out of what ``File.body`` made."""
    return tuple(File(one["sha256"], one["name"], one["media_type"], one["bytes"]) for one in kept or ())


def within_limits(files: Sequence[File]) -> tuple[File, ...]:
    """As many of these, in their order, as a message may carry (rule 9.1), none twice."""
    chosen: list[File] = []
    room = MOST_BYTES
    for file in dict.fromkeys(files):
        if len(chosen) < MOST_FILES and file.bytes <= room:
            chosen.append(file)
            room -= file.bytes
    return tuple(chosen)


async def keep(tx: AsyncConnection, company: str, content: bytes, media_type: str) -> str:
    """Keep a content once; answers the hash that names it."""
    digest = hashlib.sha256(content).hexdigest()
    values = {"company": company, "sha256": digest, "media_type": media_type, "bytes": len(content)}
    await tx.execute(KEEP, values | {"content": content})
    return digest


async def known(tx: AsyncConnection, company: str, digests: Collection[str]) -> dict[str, int]:
    """The size of those contents that are kept."""
    rows = await tx.execute(KNOWN, {"company": company, "digests": sorted(set(digests))})
    return {row.sha256: row.bytes for row in rows}


async def whole(tx: AsyncConnection, company: str, kept: Kept) -> bytes:
    """The message with its files. Raises ``AttachmentMissing``."""
    connection = await driver(tx)
    asked = {"company": company, "digests": sorted({file.sha256 for file in kept.files})}
    found = await connection.execute(CONTENTS, asked, binary=True)
    contents: dict[str, bytes] = {digest: bytes(content) for digest, content in await found.fetchall()}
    if len(contents) < len(asked["digests"]):
        raise AttachmentMissing
    parts = [part(file, contents[file.sha256], kept.boundary) for file in kept.files]
    return b"".join([kept.raw[: kept.cut], *parts, kept.raw[kept.cut :]])


def part(file: File, content: bytes, boundary: str) -> bytes:
    """A file as a part of a message, its name in any script (RFC 2231)."""
    name = encode_rfc2231(file.name, "utf-8", "")
    head = (
        f"\r\n--{boundary}\r\nContent-Type: {file.media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n filename*={name}\r\n\r\n"
    )
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return head.encode("ascii") + encoded
