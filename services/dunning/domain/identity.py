"""An action is named by what it is (rule 22.12), so that deciding twice names the same action."""

from collections.abc import Iterable
from uuid import UUID, uuid5

NAMESPACE = UUID("5f6d4c1e-6d0b-5b7e-9a3e-2f0b7c8d9e10")


def action_id(company: str, client_id: str, step: str, currency: str, entries: Iterable[tuple[str, int]]) -> UUID:
    """From company, client, step, currency and the set of (entry, occurrence); their order does not matter."""
    held = ",".join([f"{entry}:{occurrence}" for entry, occurrence in sorted(entries)])
    # the length keeps apart what a client's code, which may hold any character, could run together
    return uuid5(NAMESPACE, f"{company} {len(client_id)} {client_id} {step} {currency} {held}")
