"""An action is named by what it is (rule 22.12), so that deciding twice names the same action."""

from collections.abc import Iterable
from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("5f6d4c1e-6d0b-5b7e-9a3e-2f0b7c8d9e10").bytes


def action_id(company: str, client_id: str, step: str, currency: str, entries: Iterable[tuple[str, int]]) -> UUID:
    """From company, client, step, currency and the set of (entry, occurrence); their order does not matter."""
    held = ",".join([f"{entry}:{occurrence}" for entry, occurrence in sorted(entries)])
    # the length keeps apart what a client's code, which may hold any character, could run together
    return _named(f"{company} {len(client_id)} {client_id} {step} {currency} {held}")


def by_hand_id(company: str, client_id: str, request_id: UUID) -> UUID:
    """An action by hand is named by the wish for it: a person may say a thing twice, a form sent twice may not."""
    return _named(f"by hand {company} {len(client_id)} {client_id} {request_id}")


def _named(name: str) -> UUID:
    """A version 5 UUID, made as the standard library makes it."""
    digest = sha1(NAMESPACE + name.encode(), usedforsecurity=False).digest()
    return UUID(bytes=digest[:16], version=5)
