"""Mails taken apart without trusting them: parts, headers and texts, whatever a broken server put there.

The old header rules of ``email`` are used, since the new ones raise on what broken servers send.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser

TEXT_CHARACTERS = 200_000
HEADER_CHARACTERS = 20_000
MOST_PARTS = 200

_MESSAGE_ID = re.compile(r"<[^\s<>]{1,250}@[^\s<>]{1,250}>")
_BARE_ID = re.compile(r"^[^\s<>]{1,250}@[^\s<>]{1,250}$")
# bounded: a long word without @ would be looked through once for each of its letters
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']{1,256}@[^\s<>()\[\],;:\"']{1,256}")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL keeps in no text, and what would end whoever writes it there."""
NO_CHARSETS = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
"""Codecs of Python that no mail is written in: they take hours, or make halves of characters."""


def inner(part: Message) -> list[Message]:
    """The parts of a part, or the message in it."""
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def parts_of(message: Message, budget: list[int] | None = None) -> Iterator[Message]:
    """The parts in their order, without looking into messages that are quoted."""
    left = budget if budget is not None else [MOST_PARTS]
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in inner(message):
            if left[0] <= 0:
                return
            left[0] -= 1
            yield from parts_of(part, left)
    else:
        yield message


def blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery status, as the parser found them or in its text."""
    for one in inner(part) or [part]:
        if one is not part:
            yield one
        rest = one.get_payload()
        if isinstance(rest, str) and rest.strip():
            yield from groups(rest)


def groups(text: str) -> Iterator[Message]:
    for group in re.split(r"\n\s*\n", text[:TEXT_CHARACTERS].replace("\r\n", "\n")):
        if ":" in group:
            yield HeaderParser(policy=policy.compat32).parsestr(group.lstrip())


def ids(message: Message, name: str) -> list[str]:
    return [one for value in message.get_all(name, [])[:5] for one in named_ids(plain(value))]


def named_ids(value: str) -> list[str]:
    found: list[str] = _MESSAGE_ID.findall(value)[:50]
    return found or ([f"<{value.strip()}>"] if _BARE_ID.match(value.strip()) else [])


def notice_of(parts: Sequence[Message]) -> str:
    """The text for people: the first plain part, else the first of HTML without its marks."""
    texts = [part for part in parts if part.get_content_maintype() == "text" and not part.get_filename()]
    plain = next((part for part in texts if part.get_content_type() == "text/plain"), None)
    if plain is not None:
        return text_of(plain)
    rich = next((part for part in texts if part.get_content_type() == "text/html"), None)
    return re.sub(r"<[^<>]{0,2000}>", " ", text_of(rich)) if rich is not None else ""


def text_of(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    text = _decoded(payload[: 4 * TEXT_CHARACTERS], part.get_content_charset("utf-8"))
    return _UNWRITABLE.sub("", text[:TEXT_CHARACTERS]).replace("\r\n", "\n")


def parameter(message: Message, name: str) -> str:
    value = message.get_param(name)
    return value.lower() if isinstance(value, str) else ""


def header(message: Message, name: str) -> str:
    """A header's words on one line; empty where there is none."""
    return plain(message.get(name, ""))


def plain(value: object) -> str:
    """On one line, encoded words decoded; what is encoded wrongly stays as it stands."""
    text = str(value)[:HEADER_CHARACTERS]
    if "=?" in text:
        with suppress(HeaderParseError):
            text = "".join(_decoded(*one) for one in decode_header(text))
    return " ".join(_UNWRITABLE.sub("", text).split())


def _decoded(words: bytes | str, charset: str | None) -> str:
    if isinstance(words, str):
        return words
    try:
        codec = codecs.lookup(charset or "utf-8").name.replace("-", "_")
        return words.decode("utf-8" if codec in NO_CHARSETS else codec, "replace")
    except (LookupError, ValueError):
        return words.decode("utf-8", "replace")


def address_in(told: str) -> str | None:
    found = _ADDRESS.search(told)
    return found.group(0).rstrip(".") if found else None
