"""What many clients have in common is said of all at once."""

from datetime import date

from chassis.eventlog import Said
from contracts.ledger import (
    ChangedClient,
    ClientChanged,
    ClientsChanged,
    PaymentLettered,
    PaymentsLettered,
    PromiseKept,
)
from contracts.subjects import partition_of
from services.ledger.together import MOST_AT_ONCE, together

COMPANY = "acme"
ENTRY = "0f8b2c1d4e5a69788796a5b4c3d2e1f0"


def changed(n: int) -> Said:
    return Said(ClientChanged(client_id=f"C{n}", version=n + 1, profile="Export"), f"C{n}")


def lettered(client_id: str, code: str) -> Said:
    event = PaymentLettered(
        client_id=client_id,
        account="411",
        lettering=code,
        payments=(ENTRY,),
        settled=(ENTRY,),
        paid_on=date(2026, 3, 1),
    )
    return Said(event, client_id)


def test_clients_of_a_partition_are_said_in_one_event() -> None:
    said = together(COMPANY, [changed(n) for n in range(1000)])
    assert [one.partition for one in said] == list(range(64))
    told = [client for one in said if isinstance(one.event, ClientsChanged) for client in one.event.clients]
    assert sorted(client.version for client in told) == list(range(1, 1001))
    assert all(
        partition_of(COMPANY, client.client_id) == one.partition
        for one in said
        if isinstance(one.event, ClientsChanged)
        for client in one.event.clients
    )
    assert ChangedClient(client_id="C7", version=8, profile="Export").model_dump() in [
        c.model_dump() for c in told
    ]


def test_one_client_alone_is_said_as_ever() -> None:
    assert together(COMPANY, [changed(3)]) == [changed(3)]


def test_an_event_holds_so_many_and_no_more() -> None:
    said = together(COMPANY, [lettered("C1", f"L{n}") for n in range(MOST_AT_ONCE + 1)])
    assert [type(one.event) for one in said] == [PaymentsLettered, PaymentLettered]
    bulk = said[0].event
    assert isinstance(bulk, PaymentsLettered)
    assert len(bulk.groups) == MOST_AT_ONCE
    assert [group.lettering for group in bulk.groups[:2]] == ["L0", "L1"]


def test_all_else_keeps_its_order() -> None:
    kept = [
        Said(PromiseKept(promise_id="0198a5b4-c3d2-7e1f-8000-000000000001", client_id="C1", entry_id=ENTRY), "C1"),  # type: ignore[arg-type]
        Said(PromiseKept(promise_id="0198a5b4-c3d2-7e1f-8000-000000000002", client_id="C1", entry_id=ENTRY), "C1"),  # type: ignore[arg-type]
    ]
    said = together(COMPANY, [kept[0], lettered("C1", "A"), kept[1], lettered("C1", "B")])
    assert said[1:] == kept
