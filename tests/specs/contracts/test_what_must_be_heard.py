"""Events that nobody may skip: what they forbid would go on in the service that never applied them."""

from typing import get_args

from contracts.event import WhyHeard
from contracts.registry import MUST_BE_HEARD
from services.console.pages.parked import NEVER


def test_what_the_law_or_a_person_forbids_is_named_with_what_would_happen() -> None:
    assert MUST_BE_HEARD == {
        "PersonErased": "erasure",
        "LegalHoldPlaced": "hold",
        "LegalHoldLifted": "hold",
        "RetentionChosen": "periods",
        "DisputeOpened": "contested",
        "ClientStopped": "stop",
        "EntryStopped": "stop",
        "ClientMerged": "merged",
    }


def test_every_reason_has_an_event_and_words_on_the_page() -> None:
    assert set(MUST_BE_HEARD.values()) == set(get_args(WhyHeard)) == set(NEVER)
