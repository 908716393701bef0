"""Which events another system hears: names of the contract, or all of them."""

from collections.abc import Sequence
from difflib import get_close_matches

from contracts.registry import EVENTS
from contracts.subjects import SPEAKERS, subject

EVERYTHING = "*"
SPEAKER_OF = {event.__name__: event.speaker for event in EVENTS.values()}
"""Event class name: who says it."""
SAYING = tuple(speaker for speaker in SPEAKERS if speaker in SPEAKER_OF.values())


class EventUnknown(Exception):
    """No service says such an event."""

    def __init__(self, names: Sequence[str]) -> None:
        told = []
        for name in names:
            near = get_close_matches(name, SPEAKER_OF, n=1)
            told.append(f"{name} (did you mean {near[0]}?)" if near else name)
        super().__init__(f"no service says {', '.join(told)}")
        self.events = list(names)


def chosen(names: Sequence[str]) -> list[str]:
    """These events, each once, in the order of the alphabet; ``*`` stays alone. Raises ``EventUnknown``."""
    wanted = sorted({name.strip() for name in names if name.strip()})
    if EVERYTHING in wanted or not wanted:
        return [EVERYTHING]
    if unknown := [name for name in wanted if name not in SPEAKER_OF]:
        raise EventUnknown(unknown)
    return wanted


def filters(company: str, events: Sequence[str]) -> dict[str, list[str]]:
    """Speaker: the subjects of its stream that are chosen, of this company alone."""
    if EVERYTHING in events:
        return {speaker: [f"evt.{speaker}.{company}.>"] for speaker in SAYING}
    by_speaker: dict[str, list[str]] = {}
    for name in events:
        speaker = SPEAKER_OF[name]
        every = subject(speaker, company, 0, name).replace(".p00.", ".*.")
        by_speaker.setdefault(speaker, []).append(every)
    return by_speaker
