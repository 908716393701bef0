"""How a record is sealed, and how a chain of them is checked. Pure: any program can check the digests.

``hash`` is the SHA-256 of ``body``, UTF-8, and each body names the hash of the one before. What tells of a person
stands beside it, salted, and only its digest is inside: it can be forgotten, and the chain stays whole.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

BEGINNING = "0" * 64
"""What the first record of a company names as the one before."""
SALT_BYTES = 16
ERASED = "person_erased"
CONTENT_EXPIRED, PERSON_EXPIRED = "content_expired", "person_expired"
"""Their time was over: what was sent by one action, or what the records up to a number tell of a client."""
WITH_CONTENT = ("email_sent", "letter_prepared")
"""The kinds whose content is kept beside the archive."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is worth a record. ``facts`` and ``content`` hold no personal data, ``person`` all of it.

    ``content`` names what was sent by its digest: ``{"sha256", "bytes"}``, of a message also ``files``, the
    digests of what it carried; ``{"erased": true}`` where it was gone before it could be sealed.
    """

    kind: str
    client_id: str
    at: datetime
    as_of: date
    actor: str
    action_id: UUID | None = None
    event_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] | None = None
    person: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A sealed fact. ``person`` is what its body has the digest of; ``None`` once the person was erased."""

    company: str
    n: int
    kind: str
    client_id: str
    action_id: UUID | None
    body: str
    hash: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record that is not as it was sealed. ``why`` is a code."""

    n: int
    why: str
    kind: str | None = None
    client_id: str | None = None
    action_id: UUID | None = None


def canonical(value: Mapping[str, Any]) -> str:
    """The one way to write it as JSON: keys in order, no spaces, no escapes but those that JSON needs."""
    return msgspec.json.encode(value, order="sorted").decode()


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def seal(company: str, after: tuple[int, str], fact: Fact, salt: bytes) -> Record:
    """The record that follows the one ``after`` names by number and hash. ``salt`` keeps an address from being
    guessed by its digest."""
    number, previous = after
    person = None if not fact.person else canonical({**fact.person, "salt": salt.hex()})
    body = canonical(
        {
            "action_id": None if fact.action_id is None else str(fact.action_id),
            "actor": fact.actor,
            "as_of": fact.as_of.isoformat(),
            "at": fact.at.isoformat(),
            "client_id": fact.client_id,
            "company": company,
            "content": fact.content,
            "event_id": None if fact.event_id is None else str(fact.event_id),
            "facts": fact.facts,
            "kind": fact.kind,
            "n": number + 1,
            "person": None if person is None else digest(person),
            "previous": previous,
        }
    )
    return Record(company, number + 1, fact.kind, fact.client_id, fact.action_id, body, digest(body), person)


def seal_all(company: str, after: tuple[int, str], facts: Iterable[Fact], salts: Sequence[bytes]) -> list[Record]:
    sealed: list[Record] = []
    for fact, salt in zip(facts, salts, strict=True):
        record = seal(company, after, fact, salt)
        after = (record.n, record.hash)
        sealed.append(record)
    return sealed


@dataclass(slots=True)
class Walk:
    """Checks the records of one company in their order, beginning with the first.

    ``erasures`` says by client which record is the last that tells of an erasure: what is personal may be missing
    before it, and nowhere else. ``expiries`` says by client up to which record what is personal had its time.
    """

    company: str
    erasures: Mapping[str, int]
    expiries: Mapping[str, int] = field(default_factory=dict)
    n: int = 0
    hash: str = BEGINNING
    erased: int = 0
    """Records whose person was erased."""

    def check(self, record: Record) -> Broken | None:
        """What is wrong with the next record; afterwards the walk stands on it."""
        why = self._why(record)
        if why is not None:
            return Broken(self.n + 1, why, record.kind, record.client_id, record.action_id)
        self.n, self.hash = record.n, record.hash
        return None

    def _why(self, record: Record) -> str | None:
        if record.n != self.n + 1:
            return "missing"
        if digest(record.body) != record.hash:
            return "changed"
        body = msgspec.json.decode(record.body)
        action_id = None if record.action_id is None else str(record.action_id)
        told = (record.company, record.n, record.kind, record.client_id, action_id)
        if body["previous"] != self.hash:
            return "unchained"
        if told != tuple(body[name] for name in ("company", "n", "kind", "client_id", "action_id")):
            return "relabelled"
        return self._why_person(record, body["person"])

    def _why_person(self, record: Record, sealed: str | None) -> str | None:
        if record.person is not None:
            return None if digest(record.person) == sealed else "person-changed"
        if sealed is not None:
            if not self.is_erased(record) and record.n > self.expiries.get(record.client_id, 0):
                return "person-missing"
            self.erased += 1
        return None

    def is_erased(self, record: Record) -> bool:
        """The person was erased after this was sealed."""
        return self.erasures.get(record.client_id, 0) > record.n
