"""Every event type ever said, by its CloudEvents type."""

from contracts import dunning, ledger, notify, sync
from contracts.event import Event

EVENTS: dict[str, type[Event]] = {
    event.type_name(): event
    for module in (sync, ledger, dunning, notify)
    for event in vars(module).values()
    if isinstance(event, type) and issubclass(event, Event) and event is not Event
}
