"""What a delivery report says of one recipient. Pure. Rules 4.2, 22.16 and 22.31 of docs/rules.md.

Only what proves that an address does not exist is hard, since a hard bounce silences it. A mailbox that is full, a
refusal for the message's own sake and whatever is only undefined stay soft: the message came back, a person is
told, the address is written to again.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from services.notify.reports import phrases


class Kind(StrEnum):
    """What came back, by what has to be done about it."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    AUTO_REPLY = "auto_reply"
    REPLY = "reply"
    UNKNOWN = "unknown"


BOUNCED = frozenset({Kind.HARD, Kind.SOFT, Kind.COMPLAINT})
"""Said as ``EmailBounced``. A delay is none: the server still tries."""


OF_PEOPLE = frozenset({Kind.REPLY, Kind.UNKNOWN})
"""Whatever else a machine may have sent, a person reads these, and where they came."""


class Reason(StrEnum):
    """Why, as a code."""

    ADDRESS_UNKNOWN = "address_unknown"
    DOMAIN_UNKNOWN = "domain_unknown"
    MOVED = "moved"
    MAILBOX_FULL = "mailbox_full"
    SUSPENDED = "suspended"
    TOO_LARGE = "too_large"
    REFUSED = "refused"
    NETWORK = "network"
    ABUSE = "abuse"
    OPT_OUT = "opt_out"
    ABSENCE = "absence"
    OWN_PEOPLE = "own_people"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a report says of one recipient. ``address`` is personal data; ``status`` is of RFC 3463 (``5.1.1``)."""

    kind: Kind
    reason: Reason = Reason.OTHER
    address: str | None = None
    status: str | None = None
    reply: str | None = None
    """The server's three digits (``550``)."""


STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.#])([45][0-5]\d)(?=[ -])")

_ACTIONS = {
    "delayed": Kind.DELAYED,
    "delivered": Kind.DELIVERED,
    "relayed": Kind.DELIVERED,
    "expanded": Kind.DELIVERED,
}

_WORDS = (
    (phrases.MAILBOX_FULL, Reason.MAILBOX_FULL),
    (phrases.TOO_LARGE, Reason.TOO_LARGE),
    (phrases.SUSPENDED, Reason.SUSPENDED),
    (phrases.REFUSED, Reason.REFUSED),
    (phrases.MOVED, Reason.MOVED),
    (phrases.ADDRESS_UNKNOWN, Reason.ADDRESS_UNKNOWN),
    (phrases.DOMAIN_UNKNOWN, Reason.DOMAIN_UNKNOWN),
    (phrases.NETWORK, Reason.NETWORK),
)
"""The first that matches counts: what speaks for the address stands before what speaks against it."""

_CODES = {
    "1.1": Reason.ADDRESS_UNKNOWN,
    "1.2": Reason.DOMAIN_UNKNOWN,
    "1.3": Reason.ADDRESS_UNKNOWN,
    "1.6": Reason.MOVED,
    "1.10": Reason.ADDRESS_UNKNOWN,
    "2.1": Reason.SUSPENDED,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.TOO_LARGE,
    "3.4": Reason.TOO_LARGE,
    "4.4": Reason.DOMAIN_UNKNOWN,
}
"""RFC 3463 and Microsoft's 5.1.10, without the class."""

_DEAD = frozenset({Reason.ADDRESS_UNKNOWN, Reason.DOMAIN_UNKNOWN, Reason.MOVED})


def judge(  # noqa: PLR0913 - what a report says of a recipient
    *,
    address: str | None,
    action: str = "failed",
    status: str | None = None,
    said: str = "",
    notice: str = "",
    whole: bool = True,
) -> Finding:
    """One recipient of a delivery report.

    ``said`` is what the refusing server said (Diagnostic-Code, or the words beside the address); ``notice`` the
    sentences for people of a report on this recipient alone. A report that is not ``whole`` is never hard: its
    machine-readable part was lost on the way, and with it the proof.
    """
    words, told = phrases.flat(said), STATUS.findall(said)
    code = next((one for one in told if not one.endswith(".0.0")), None) or _code(status) or next(iter(told), None)
    reply = found.group(1) if (found := _REPLY.search(said)) else None
    standing = _ACTIONS.get(action)
    reason = _reason(words or phrases.flat(status or ""), code)
    if standing is not None:
        return Finding(standing, reason, address, code, reply)
    if phrases.MAILBOX_FULL.search(phrases.flat(notice)):
        # gateways answer "User unknown" for a mailbox without room, and explain themselves in the text
        reason = Reason.MAILBOX_FULL
    hard = whole and reason in _DEAD and _final(code, reason, words)
    return Finding(Kind.HARD if hard else Kind.SOFT, reason, address, code, reply)


def _reason(words: str, code: str | None) -> Reason:
    for pattern, reason in _WORDS:
        if pattern.search(words):
            return reason
    if code is None:
        return Reason.OTHER
    detail = code[2:]
    if detail.startswith("7."):
        return Reason.REFUSED
    if detail.startswith("4.") and detail not in _CODES:
        return Reason.NETWORK
    return _CODES.get(detail, Reason.OTHER)


def _final(code: str | None, reason: Reason, words: str) -> bool:
    """A 4.x.x is temporary, but for a 4.1.1 whose words say that nobody is there: servers set up so answer it for
    ever. Without them the class is believed, since x.1.1 has no meaning for what may pass (RFC 3463, rule 22.31).
    """
    if code is None or not code.startswith("4."):
        return code is None or code[2:] not in {"7.1", "1.7", "1.8"}
    return code == "4.1.1" and reason is Reason.ADDRESS_UNKNOWN and bool(phrases.ADDRESS_UNKNOWN.search(words))


def _code(status: str | None) -> str | None:
    return found.group(1) if status and (found := STATUS.search(status)) else None
