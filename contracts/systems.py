"""Other systems with an API key: in which name they act, and what a key may be used for."""

from typing import Literal, get_args

from contracts.subjects import SPEAKERS

ACTOR_OF_SYSTEM = "system:"
"""Before the name of a system, as the actor of what it does."""
OURS = frozenset({*SPEAKERS, "console", "slot"})
"""Names by which parts of Relance act themselves: no other system has one of them."""

Scope = Literal[
    "read:clients",
    "read:entries",
    "read:promises",
    "read:actions",
    "write:promises",
    "write:disputes",
    "write:stops",
    "write:documents",
    "push:rows",
]
"""Each names facts; which addresses it opens stands at the endpoints (``chassis.scopes.for_keys``)."""

SCOPES: dict[Scope, str] = {
    "read:clients": "Clients with their contacts, addresses and free fields",
    "read:entries": "Entries, who owes what, receipts and invoices as PDF",
    "read:promises": "Promises and disputes",
    "read:actions": "What is to be done, what was done, and why",
    "write:promises": "Record and cancel promises",
    "write:disputes": "Open and close disputes",
    "write:stops": "Stop and resume reminders of a client or an entry",
    "write:documents": "Attach invoices as PDF to entries",
    "push:rows": "Hand in clients, entries and contacts",
}
assert tuple(SCOPES) == get_args(Scope)


def only_reads(scope: Scope) -> bool:
    """Nothing is changed by it."""
    return scope.startswith("read:")
