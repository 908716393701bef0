"""The bytes of a mail: headers, plain text and HTML, exactly as they leave and are kept.

The parts are joined here: ``email.message`` builds the same bytes five times slower, which at hundreds of mails a
second is a core. Its functions for names, subjects and dates are used, and its parser reads the result back.
"""

import binascii
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.header import Header
from email.parser import BytesParser
from email.quoprimime import header_encode
from email.utils import format_datetime, formataddr
from functools import lru_cache

from services.notify.attachments import File
from services.notify.domain import Sender, tagged
from services.notify.rendering import Rendered

_LINE_ENDS = re.compile(r"\r\n|\r")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_ADDRESS = re.compile(r"[!-~]{1,64}@[!-~]{1,253}", re.ASCII)
LINE_LENGTH = 76
LONGEST_LINE = 990
"""RFC 5322 allows 998 characters."""
MOSTLY_LATIN = 3
"""One character in so many outside ASCII: what holds more is shorter in base64."""
MOST_KEPT = 4096
_WORD = "=?utf-8?q?{}?="
_SPELLED = re.compile(r"&#(\d{3,7});")
_OUTSIDE = frozenset('<>()[],;:"\\@')


@dataclass(frozen=True, slots=True)
class Mail:
    """A message ready to leave. ``envelope_from`` takes the bounces."""

    message_id: str
    envelope_from: str
    recipients: tuple[str, ...]
    subject: str
    raw: bytes
    files: tuple[File, ...] = ()
    """What it carries; ``raw`` is without them, and they stand at ``cut``."""
    cut: int = 0

    @property
    def boundary(self) -> str:
        """Before each part, where it carries files."""
        return boundary_of(self.message_id)


def usable_addresses(emails: Sequence[str]) -> tuple[str, ...]:
    """The addresses that can be written to, without repetition, in their order."""
    stripped = (email.strip() for email in emails)
    return tuple(dict.fromkeys(email for email in stripped if is_usable_address(email)))


def is_usable_address(email: str) -> bool:
    """One bare ASCII address: no name, no list, nothing that could end a header line."""
    return _ADDRESS.fullmatch(email) is not None and email.count("@") == 1 and not _OUTSIDE & {*email} - {"@"}


def compose(  # noqa: PLR0913, PLR0917 - what a mail is made of
    rendered: Rendered,
    sender: Sender,
    recipients: Sequence[str],
    message_id: str,
    at: datetime,
    copies: Sequence[str] = (),
    files: Sequence[File] = (),
) -> Mail:
    """The mail, with its two alternatives. ``at`` is an instant; addresses are usable, and none stands twice."""
    boundary = f"={message_id[1:].partition('@')[0]}="
    alternatives = f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"'
    outer = boundary_of(message_id)
    headers = [
        f"From: {_named(sender.name or sender.company_name, sender.from_address)}",
        "To: " + ",\r\n ".join(recipients),
        *(["Cc: " + ",\r\n ".join(copies)] if copies else ()),
        f"Subject: {_unstructured('Subject', rendered.subject)}",
        f"Date: {format_datetime(at.astimezone(UTC))}",
        f"Message-ID: {message_id}",
        f"Content-Language: {rendered.language}",
        # RFC 3834: no out-of-office answers to a message that nobody typed
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed;\r\n boundary="{outer}"' if files else alternatives,
    ]
    answers_to = sender.reply_to or sender.from_address
    if sender.tagged and not sender.person:  # a person's own mailbox is not read
        answers_to = tagged(answers_to, message_id)
    if answers_to != sender.from_address:
        headers.insert(1, f"Reply-To: {_named(sender.name or sender.company_name, answers_to)}")
    delimiter = f"\r\n--{boundary}\r\n".encode()
    raw = b"".join(
        [
            "\r\n".join(headers).encode("ascii"),
            b"\r\n",
            f"\r\n--{outer}\r\n{alternatives}\r\n".encode("ascii") if files else b"",
            delimiter,
            _part(rendered.text, "plain"),
            delimiter,
            _html_part(rendered.html),
            f"\r\n--{boundary}--\r\n".encode(),
        ]
    )
    cut = len(raw)
    if files:
        raw += f"\r\n--{outer}--\r\n".encode("ascii")
    envelope_from = tagged(sender.email, message_id) if sender.tagged else sender.email
    return Mail(message_id, envelope_from, (*recipients, *copies), rendered.subject, raw, tuple(files), cut)


def boundary_of(message_id: str) -> str:
    """Of the parts of a message that carries files."""
    return f"=+{message_id[1:].partition('@')[0]}="


@lru_cache(maxsize=1024)
def _named(name: str, email: str) -> str:
    return formataddr((_CONTROLS.sub(" ", name).strip(), email), charset="utf-8")


def _unstructured(name: str, value: str) -> str:
    clean = _CONTROLS.sub(" ", value)
    if clean.isascii():
        if len(name) + len(": ") + len(clean) <= LINE_LENGTH and not clean.startswith((" ", "=?")):
            return clean
    elif sum(1 for one in clean if one > "\x7f") * MOSTLY_LATIN <= len(clean):
        return _encoded_words(clean, LINE_LENGTH - len(name) - len(": "))
    charset = "us-ascii" if clean.isascii() else "utf-8"
    return Header(clean, charset, header_name=name, maxlinelen=76).encode(linesep="\r\n")


def _encoded_words(value: str, room: int) -> str:
    """RFC 2047, encoding Q; ``room`` is left on the first line. ``Header`` tries what fits for every piece."""
    words, word = [], ""
    left = room - len(_WORD.format(""))
    for code in map(_QUOTED.__getitem__, value):
        if len(word) + len(code) > left:
            words.append(_WORD.format(word))
            word, left = "", LINE_LENGTH - len(" ") - len(_WORD.format(""))
        word += code
    return "\r\n ".join([*words, _WORD.format(word)])


class _Quoted(dict[str, str]):
    """Each character as encoding Q writes it, made when it is first met."""

    def __missing__(self, one: str) -> str:
        code = header_encode(one.encode(), "utf-8").removeprefix("=?utf-8?q?").removesuffix("?=")
        if len(self) < MOST_KEPT:
            self[one] = code
        return code


_QUOTED = _Quoted()


def _html_part(html: str) -> bytes:
    """HTML says any character in ASCII, and breaks between attributes as well as elsewhere: it leaves as it is,
    shorter than encoded and in a tenth of the time. A line that is too long for that is encoded."""
    lines = _with_unix_ends(html).encode("ascii", "xmlcharrefreplace")
    if max(map(len, lines.split(b"\n"))) > LONGEST_LINE:
        return _part(html, "html")
    return _head("html", "7bit") + lines.replace(b"\n", b"\r\n")


def _with_unix_ends(text: str) -> str:
    unix = _LINE_ENDS.sub("\n", text) if "\r" in text else text
    return unix if unix.endswith("\n") else f"{unix}\n"


def _head(subtype: str, encoding: str) -> bytes:
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    ).encode()


def _part(text: str, subtype: str) -> bytes:
    lines = _with_unix_ends(text).encode()
    encoded = binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")
    return _head(subtype, "quoted-printable") + encoded


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A kept mail, taken apart for people to read."""

    subject: str
    sender: str
    recipients: str
    copies: str
    date: str
    text: str
    html: str


def _spoken(spelled: re.Match[str]) -> str:
    code = int(spelled[1])
    return chr(code) if 0x7F < code < sys.maxunicode else spelled[0]


def read(raw: bytes) -> ReadMail:
    """The parts of a mail that was composed here."""
    message = BytesParser(policy=policy.default).parsebytes(raw)
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    return ReadMail(
        subject=str(message["Subject"] or ""),
        sender=str(message["From"] or ""),
        recipients=str(message["To"] or ""),
        copies=str(message["Cc"] or ""),
        date=str(message["Date"] or ""),
        text=plain.get_content() if plain is not None else "",
        html=_SPELLED.sub(_spoken, rich.get_content()) if rich is not None else "",
    )
