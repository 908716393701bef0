"""What is said of many clients at once, in few events.

An event costs its row in the log, its message, and a reading in every service that listens, whether it cares or
not: the numbers of a partition leave no hole. A book's first import changes all its clients and letters most of
its entries; said one by one, that is more than all its lines together.
"""

from collections.abc import Sequence

from chassis.eventlog import Said
from contracts.ledger import ChangedClient, ClientChanged, ClientsChanged, PaymentLettered, PaymentsLettered

MOST_AT_ONCE = 500


def together(company: str, said: Sequence[Said]) -> list[Said]:
    """The same facts, with changed clients and lettered payments of one partition in bulk events; one alone stays
    as it is. Bulk events come first; all others keep their order."""
    changed: dict[int, list[Said]] = {}
    lettered: dict[int, list[Said]] = {}
    rest: list[Said] = []
    for one in said:
        match one.event:
            case ClientChanged():
                changed.setdefault(one.partition_in(company), []).append(one)
            case PaymentLettered():
                lettered.setdefault(one.partition_in(company), []).append(one)
            case _:
                rest.append(one)
    bulk: list[Said] = []
    for p, ones in sorted(changed.items()):
        for part in _parts(ones):
            clients = tuple(one.event for one in part if isinstance(one.event, ChangedClient))
            bulk.append(Said(ClientsChanged(clients=clients), partition=p) if len(part) > 1 else part[0])
    for p, ones in sorted(lettered.items()):
        for part in _parts(ones):
            groups = tuple(one.event for one in part if isinstance(one.event, PaymentLettered))
            bulk.append(Said(PaymentsLettered(groups=groups), partition=p) if len(part) > 1 else part[0])
    return bulk + rest


def _parts(ones: list[Said]) -> list[list[Said]]:
    return [ones[start : start + MOST_AT_ONCE] for start in range(0, len(ones), MOST_AT_ONCE)]
