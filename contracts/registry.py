"""Every event type ever said, by its CloudEvents type."""

from contracts import dunning, ledger, notify, sync
from contracts.event import Event, WhyHeard

EVENTS: dict[str, type[Event]] = {
    event.type_name(): event
    for module in (sync, ledger, dunning, notify)
    for event in vars(module).values()
    if isinstance(event, type) and issubclass(event, Event) and event is not Event
}

MUST_BE_HEARD: dict[str, WhyHeard] = {
    event.__name__: event.must_be_heard for event in EVENTS.values() if event.must_be_heard is not None
}
"""The events that nobody may skip, and why."""
