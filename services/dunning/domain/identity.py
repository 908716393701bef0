"""An action is named by what it is (rule 22.12), so that deciding twice names the same action."""

import json
from collections.abc import Iterable
from uuid import UUID, uuid5

NAMESPACE = UUID("5f6d4c1e-6d0b-5b7e-9a3e-2f0b7c8d9e10")


def action_id(company: str, client_id: str, step: str, currency: str, entries: Iterable[tuple[str, int]]) -> UUID:
    """From company, client, step, currency and the set of (entry, occurrence); their order does not matter."""
    return uuid5(NAMESPACE, json.dumps([company, client_id, step, currency, sorted(entries)]))
