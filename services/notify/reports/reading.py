"""A mail that came back, taken apart: what it says of which recipient, and which message it speaks of.

Reads RFC 3464 delivery reports, RFC 5965 complaints, RFC 3834 automatic answers, the plain texts of Exim, qmail
and Exchange, and answers of people. Whatever stands in a mail, it ends in a ``Report`` or in ``Unreadable``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.utils import getaddresses, parseaddr
from hashlib import sha256
from itertools import zip_longest
from uuid import UUID

from services.notify.reports import phrases
from services.notify.reports.judging import Finding, Kind, Reason, judge
from services.notify.reports.mime import (
    TEXT_CHARACTERS,
    address_in,
    blocks,
    groups,
    header,
    ids,
    inner,
    named_ids,
    notice_of,
    parameter,
    parts_of,
    plain,
    text_of,
)

LARGEST_BYTES = 30_000_000
"""A report quotes at most the message it speaks of; what is larger is none."""

_MOST_RECIPIENTS = 200

_RETURN_PATH = re.compile(r"\+([0-9a-f]{32})@", re.IGNORECASE)
_RECIPIENT_LINE = re.compile(
    r"^\s{0,8}<?([^\s<>()\[\],;:\"']{1,256}@[^\s<>()\[\],;:\"']{1,256}?)>?:?(\s|$|<mailto:)", re.MULTILINE
)
_COPY_FOLLOWS = re.compile(
    r"^(-{2,} ?(this is a copy|below this line is a copy|enclosed is a copy|the body of the message|"
    r"original message|message original|transcript of session follows)"
    r"|original message headers:|en-t[êe]tes du message d'origine)",
    re.IGNORECASE | re.MULTILINE,
)
_DAEMON = re.compile(r"mailer-daemon|postmaster|mail delivery|mailsystem|mail-daemon", re.IGNORECASE)
_HEADER_OF_COPY = re.compile(r"^message-id:\s*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_FIELDS = re.compile(r"^(original-recipient|final-recipient):", re.IGNORECASE | re.MULTILINE)


class Unreadable(ValueError):
    """No mail, or one too torn or too large to be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came back. All but ``digest`` and ``kind`` may hold personal data.

    ``findings`` is never empty and has no address twice; ``kind`` is the gravest of them. ``message_ids`` are
    those of the message it speaks of, the surest first, ``returned_to`` the names of messages that the return path
    carried. ``digest`` is the same for every reading of the same mail, through whichever mailbox it came.
    """

    kind: Kind
    findings: tuple[Finding, ...]
    digest: str
    message_ids: tuple[str, ...] = ()
    returned_to: tuple[UUID, ...] = ()
    sender: str = ""
    subject: str = ""
    date: str = ""
    text: str = ""
    """What a person wrote; empty for machines."""


_GRAVEST = (
    Kind.HARD,
    Kind.COMPLAINT,
    Kind.SOFT,
    Kind.DELAYED,
    Kind.DELIVERED,
    Kind.REPLY,
    Kind.AUTO_REPLY,
    Kind.UNKNOWN,
)


def read(raw: bytes) -> Report:
    """Any mail. Raises ``Unreadable``."""
    if not raw.strip() or len(raw) > LARGEST_BYTES:
        raise Unreadable("empty or larger than a report can be")
    try:
        return _read(raw)
    except Unreadable:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as torn:
        # ``email`` has raised each of these on mails that only a broken server sends
        raise Unreadable(type(torn).__name__) from torn


def _read(raw: bytes) -> Report:
    message = BytesParser(policy=policy.compat32).parsebytes(raw)
    if not message.keys():
        raise Unreadable("no header")
    parts = list(parts_of(message))
    findings, named = _understood(message, parts)
    kind = min((one.kind for one in findings), key=_GRAVEST.index)
    person = kind in {Kind.REPLY, Kind.AUTO_REPLY}
    if person:
        named = [*ids(message, "In-Reply-To"), *reversed(ids(message, "References"))]
    return Report(
        kind=kind,
        findings=tuple(findings),
        digest=digest(raw),
        message_ids=tuple(dict.fromkeys(named)),
        returned_to=_returned_to(message),
        sender=parseaddr(header(message, "From"))[1],
        subject=header(message, "Subject"),
        date=header(message, "Date"),
        text=notice_of(parts) if person else "",
    )


def digest(raw: bytes) -> str:
    """Names a mail by what no server on the way changes: Message-ID, date and body."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    said = HeaderParser(policy=policy.compat32).parsestr(head.decode("latin-1"))
    named = "\n".join(str(said.get(name, "")) for name in ("Message-ID", "Date", "From"))
    return sha256(named.encode("utf-8", "replace") + b"\n\n" + body.strip()).hexdigest()


def _understood(message: Message, parts: Sequence[Message]) -> tuple[list[Finding], list[str]]:
    """The findings, and the Message-IDs of the message that a report quotes."""
    quoted = [one for part in parts for one in _quoted(part)]
    complaint = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if complaint is not None:
        return [_complaint(complaint)], quoted
    status = [part for part in parts if part.get_content_type() in _STATUS_TYPES]
    findings = _delivery_status(status, parts)
    if findings:
        return findings, quoted
    torn = parameter(message, "report-type") == "delivery-status" or bool(status)
    text = notice_of(parts)
    notice, copy = _without_copy(text)
    failed = header(message, "X-Failed-Recipients")
    if torn and _FIELDS.search(text):
        return _torn_status(text), [*quoted, *_ids_of_copy(text)]
    if failed or torn or _tells_of_failure(message, notice):
        return _told_in_words(failed, notice, whole=not torn), [*quoted, *_ids_of_copy(copy)]
    return [Finding(*_answer(message))], []


_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_QUOTED_TYPES = frozenset({"message/rfc822", "message/global", "message/rfc822-headers"})
_QUOTED_HEADERS = frozenset({"text/rfc822-headers", "text/rfc822-header", "message/global-headers"})


def _quoted(part: Message) -> list[str]:
    kind, within = part.get_content_type(), inner(part)
    if kind in _QUOTED_TYPES and within:
        return ids(within[0], "Message-ID")
    if kind in _QUOTED_HEADERS:
        headers = within[0].as_string() if within else text_of(part)
        return ids(HeaderParser(policy=policy.compat32).parsestr(headers.lstrip()), "Message-ID")
    return []


def _complaint(part: Message) -> Finding:
    within = inner(part)
    fields = within[0] if within else None
    if fields is None or not fields.keys():
        fields = HeaderParser(policy=policy.compat32).parsestr(text_of(part).lstrip())
    told = header(fields, "Original-Rcpt-To") or header(fields, "Removal-Recipient")
    opted_out = header(fields, "Feedback-Type").lower().startswith("opt-out")
    return Finding(Kind.COMPLAINT, Reason.OPT_OUT if opted_out else Reason.ABUSE, address_in(told))


def _delivery_status(status: Sequence[Message], parts: Sequence[Message]) -> list[Finding]:
    recipients = [
        block for part in status for block in blocks(part) if header(block, "Final-Recipient") or block["Action"]
    ][:_MOST_RECIPIENTS]
    alone = len(recipients) == 1
    notice = _without_copy(notice_of(parts))[0] if alone else ""
    return _once(_judged(block, notice) for block in recipients)


def _judged(block: Message, notice: str = "", *, whole: bool = True) -> Finding:
    told = header(block, "Original-Recipient") or header(block, "Final-Recipient")
    return judge(
        address=address_in(told.partition(";")[2] or told),
        action=header(block, "Action").strip().lower(),
        status=header(block, "Status"),
        said=header(block, "Diagnostic-Code").partition(";")[2] or header(block, "Diagnostic-Code"),
        notice=notice,
        whole=whole,
    )


def _torn_status(text: str) -> list[Finding]:
    """The fields of a report whose parts ran into one another: read, but no proof."""
    fields = [one for one in groups(text) if one["Final-Recipient"] or one["Original-Recipient"]]
    return _once(_judged(one, whole=False) for one in fields[:_MOST_RECIPIENTS]) or _told_in_words(
        "", text, whole=False
    )


def _tells_of_failure(message: Message, notice: str) -> bool:
    empty_path = message["Return-Path"] is not None and not address_in(header(message, "Return-Path"))
    from_machine = _DAEMON.search(header(message, "From")) or empty_path
    words = phrases.flat(f"{header(message, 'Subject')} {notice[:4000]}")
    return bool(from_machine and phrases.NOT_DELIVERED.search(words))


def _told_in_words(failed: str, notice: str, *, whole: bool) -> list[Finding]:
    """Reports without a part for machines: every address with the lines that follow it."""
    named = [address for _, address in getaddresses([failed]) if "@" in address]
    places = list(_RECIPIENT_LINE.finditer(notice))[:_MOST_RECIPIENTS]
    if named:
        places = [place for place in places if place.group(1).lower() in {one.lower() for one in named}]
    told: dict[str, str] = {}
    for place, following in zip_longest(places, places[1:]):
        said = notice[place.end() : following.start() if following is not None else None]
        told[place.group(1)] = f"{told.get(place.group(1), '')} {said}"
    known = {address.lower() for address in told}
    rest = [address for address in named if address.lower() not in known]
    if not told and len(rest) <= 1:
        return [judge(address=rest[0] if rest else None, said=notice, whole=whole and bool(rest))]
    others = [judge(address=address, whole=whole) for address in rest]
    return _once([*(judge(address=address, said=said, whole=whole) for address, said in told.items()), *others])


def _answer(message: Message) -> tuple[Kind, Reason]:
    """An automatic answer, a person's, or neither."""
    submitted = header(message, "Auto-Submitted").strip().lower()
    automatic = (
        (submitted and not submitted.startswith("no"))
        or any(message[name] is not None for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponse"))
        or header(message, "X-Apple-Action").strip().upper() == "VACATION"
        or header(message, "Precedence").strip().lower() in {"auto_reply", "auto-reply"}
        or phrases.ABSENT.search(phrases.flat(header(message, "Subject")))
    )
    if automatic:
        return Kind.AUTO_REPLY, Reason.ABSENCE
    quotes = message["In-Reply-To"] is not None or message["References"] is not None
    # some mail programs quote nothing; the address that they answer to names the message then
    if quotes or _returned_to(message):
        return Kind.REPLY, Reason.OTHER
    return Kind.UNKNOWN, Reason.OTHER


def _once(findings: Iterator[Finding] | Sequence[Finding]) -> list[Finding]:
    """The gravest finding of each address."""
    kept: dict[str | None, Finding] = {}
    for one in findings:
        name = one.address.lower() if one.address else None
        known = kept.get(name)
        if known is None or _GRAVEST.index(one.kind) < _GRAVEST.index(known.kind):
            kept[name] = one
    return list(kept.values())


def _without_copy(text: str) -> tuple[str, str]:
    """The notice, and the copy of the message below it."""
    found = _COPY_FOLLOWS.search(text)
    return (text, "") if found is None else (text[: found.start()], text[found.end() :])


def _ids_of_copy(copy: str) -> list[str]:
    return [one for line in _HEADER_OF_COPY.findall(copy[:TEXT_CHARACTERS]) for one in named_ids(line)]


def _returned_to(message: Message) -> tuple[UUID, ...]:
    """The names of messages in the addresses that this mail was sent to (VERP)."""
    told = [
        plain(value)
        for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To")
        for value in message.get_all(name, [])[:10]
    ]
    return tuple(dict.fromkeys(UUID(hex=one) for value in told for one in _RETURN_PATH.findall(value)))
