"""A person is forgotten: who keeps a copy is told, by a version that no older copy can pass."""

from contracts.ledger import ClientChanged, PersonErased
from services.ledger.domain import ClientFacts, ClientSeen, ErasePerson
from tests.specs.ledger.given import CLIENT, given


def test_erasing_makes_a_new_version_and_then_tells_what_is_left() -> None:
    known = ClientChanged(client_id=CLIENT, version=4, has_email=True, has_phone=True)
    erased = PersonErased(client_id=CLIENT, version=5)
    given(known).when(ErasePerson()).then(erased)
    without = ClientChanged(client_id=CLIENT, version=6)
    given(known, erased).when(ClientSeen(ClientFacts())).then(without)
    given(known, erased, without).when(ErasePerson()).then(PersonErased(client_id=CLIENT, version=7))
