"""A client's verdicts as they are kept in ``decided``: JSON of what is said, each with the entries that share it.

``[[verdict, [entry, ...]], ...]``, a verdict being status, step, next day, reasons, action. Where a client's lines
may rest (``domain/narrow``), the lines of a group that sleeps are followed by what each of them comes to in the
bookkeeping currency, in ten-thousandths, by the day on which they wake, or null, and by the sum of those amounts.

Each group is a line of text, so that those that sleep on are carried over unread: on an ordinary day they are most
of what is kept. All values are ids, dates, numbers and words of ours, so none needs quoting. The same verdicts
give the same text.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

import msgspec

from services.dunning.domain.exclusions import OF_THE_CLIENT
from services.dunning.domain.sayings import Exclusion
from services.dunning.domain.state import NOTHING_RESTS, EntryState, Resting
from services.dunning.domain.verdicts import Decision, Due, Excluded, NoStep, NotDue, Verdict

NO_VERDICTS = "[]"
_BETWEEN = ",\n"
_QUOTED = '","'
_EXCLUDED = '[["excluded"'
_NEVER = "null"
"""As the day on which a group wakes: behind every day, since these begin with a quotation mark."""


class _Verdict(NamedTuple):
    status: str
    step: str | None
    until: date | None
    reasons: tuple[str, ...]
    action_id: str | None


class _Group(msgspec.Struct, array_like=True, gc=False):
    verdict: _Verdict
    entries: list[str]
    amounts: list[int] = []
    wakes_on: str | None = None
    amount: int = 0


_read = msgspec.json.Decoder(_Group).decode
_read_verdict = msgspec.json.Decoder(_Verdict).decode


class Kept:
    """What the verdicts of a client say on a day: which lines are awake, and what the others come to.

    ``awake`` holds the lines ``also`` to be looked at, whatever was decided of them; ``exclusions`` are those of
    the lines that are awake, as last said.
    """

    __slots__ = ("asleep", "awake", "exclusions", "resting")

    def __init__(self, verdicts: str, also: set[str], as_of: date) -> None:
        self.awake = also
        self.asleep: list[str] = []
        self.exclusions: dict[str, Exclusion] = {}
        self._sort_out(verdicts, list(also), as_of.isoformat())

    def _sort_out(self, verdicts: str, also: Sequence[str], day: str) -> None:
        """Very many of these texts are read, and few of their groups concern a day: what is asked of each group is
        asked of its end, and a line is found in the whole text at once.
        """
        if verdicts == NO_VERDICTS:
            self.resting = NOTHING_RESTS
            return
        find, lines_before = verdicts.find, verdicts.count
        spoken_of: set[int] = set()
        for one in also:
            name = f'"{one}"'
            at = find(name)
            while at >= 0:  # the first may be the name of a step
                spoken_of.add(lines_before("\n", 0, at))
                at = find(name, at + 1)
        today, first = f'"{day}"', _NEVER
        amount = 0
        against: set[frozenset[str]] = set()
        for place, group in enumerate(verdicts[1:-1].split(_BETWEEN)):
            if group[-2] == "]":
                self._wake(group, _read(group).entries)
                continue
            _, wakes_on, comes_to = group.rsplit(",", 2)
            if wakes_on <= today:
                self._wake(group, _read(group).entries)
                continue
            if place in spoken_of:
                rest, gone, comes_to = _without(group, self.awake)
                self._wake(group, gone)
                if not rest:
                    continue
                self.asleep.append(rest)
            else:
                self.asleep.append(group)
            amount += int(comes_to[:-1])
            first = min(first, wakes_on)
            if group.startswith(_EXCLUDED):
                against.add(_exclusion_of(group)[1])
        self.resting = Resting(
            amount, None if first == _NEVER else date.fromisoformat(first[1:-1]), frozenset(against)
        )

    def _wake(self, group: str, lines: Sequence[str]) -> None:
        self.awake.update(lines)
        if group.startswith(_EXCLUDED):
            self.exclusions.update(dict.fromkeys(lines, _exclusion_of(group)[0]))


def kept_on(verdicts: str, also: set[str], as_of: date) -> Kept | None:
    """What is kept of a client; ``None`` where the version before laid it out, all in one line, which it does
    while its pods are being replaced, or when it came back for a while: then all lines are to be looked at.
    """
    try:
        return Kept(verdicts, also, as_of)
    except msgspec.DecodeError:
        return None


def _without(group: str, taken: set[str]) -> tuple[str, list[str], str]:
    """A group that sleeps without some lines, those lines, and what the others come to, as it ends."""
    told = _read(group)
    lines = [line for line in zip(told.entries, told.amounts, strict=True) if line[0] not in taken]
    rest = _sleeping(group[1 : _end_of_verdict(group)], told.wakes_on, lines) if lines else ""
    return rest, [one for one in told.entries if one in taken], f"{sum([amount for _, amount in lines])}]"


def _end_of_verdict(group: str) -> int:
    return group.index('],["') + 1


def _exclusion_of(group: str) -> tuple[Exclusion, frozenset[str]]:
    return _known_exclusion(group[1 : _end_of_verdict(group)])


@cache
def _known_exclusion(verdict: str) -> tuple[Exclusion, frozenset[str]]:
    """What is said of the lines, and those of its reasons that lie in the client. There are few kinds, and a round
    asks very often.
    """
    _, step, until, reasons, _ = _read_verdict(verdict)
    assert step is not None
    return (step, reasons, until), OF_THE_CLIENT.intersection(reasons)


def as_text(verdicts: Mapping[str, Verdict]) -> str:
    """The verdicts of a client whose lines are all to be looked at the next time."""
    return _array(_awake(verdicts))


def resting_text(decision: Decision, looked_at: Sequence[EntryState], asleep: Sequence[str] = ()) -> str:
    """The verdicts of a client whose lines may rest, those that were ``asleep`` and not looked at among them."""
    awake: dict[str, Verdict] = {}
    sleeping: dict[tuple[Verdict, date | None], list[tuple[str, int]]] = {}
    verdicts, wakes = decision.verdicts, decision.sleeping
    for entry in looked_at:
        name = entry.entry_id
        verdict = verdicts[name]
        if name in wakes and type(verdict) is not Due:
            key = verdict, wakes[name]
            lines = sleeping.get(key)
            if lines is None:
                sleeping[key] = [(name, entry.book_amount)]
            else:
                lines.append((name, entry.book_amount))
        else:
            awake[name] = verdict
    texts = _awake(awake)
    others = list(asleep)
    for (verdict, day), lines in sleeping.items():
        value, wakes_on = _value(verdict), None if day is None else day.isoformat()
        for other in asleep:
            if other.startswith(value, 1) and (told := _read(other)).wakes_on == wakes_on:
                lines.extend(zip(told.entries, told.amounts, strict=True))
                others.remove(other)
        lines.sort()
        texts.append(_sleeping(value, wakes_on, lines))
    return _array(texts + others)


def _awake(verdicts: Mapping[str, Verdict]) -> list[str]:
    groups: dict[object, tuple[Verdict, list[str]]] = {}
    for entry, verdict in verdicts.items():
        # the lines of an action share one verdict, and hashing its id costs more than all the rest
        key = id(verdict) if type(verdict) is Due else verdict
        group = groups.get(key)
        if group is None:
            groups[key] = verdict, [entry]
        else:
            group[1].append(entry)
    return [f'[{_value(verdict)},["{_QUOTED.join(sorted(entries))}"]]' for verdict, entries in groups.values()]


def _sleeping(value: str, wakes_on: str | None, lines: Sequence[tuple[str, int]]) -> str:
    entries = _QUOTED.join([entry for entry, _ in lines])
    amounts = [amount for _, amount in lines]
    day = "null" if wakes_on is None else f'"{wakes_on}"'
    return f'[{value},["{entries}"],[{",".join(map(str, amounts))}],{day},{sum(amounts)}]'


def _array(texts: Iterable[str]) -> str:
    return f"[{_BETWEEN.join(sorted(texts))}]"


def _value(verdict: Verdict) -> str:
    if isinstance(verdict, Due):
        return f'["due","{verdict.step}",null,[],"{verdict.action_id}"]'
    return _shared_value(verdict)


@lru_cache(maxsize=10_000)
def _shared_value(verdict: NotDue | Excluded | NoStep) -> str:
    """Of a verdict that names no action: lines of very many clients have the same."""
    match verdict:
        case NotDue():
            return f'["not_due","{verdict.step}","{verdict.until}",[],null]'
        case Excluded():
            reasons = '","'.join(verdict.reasons)
            until = "null" if verdict.until is None else f'"{verdict.until}"'
            return f'["excluded","{verdict.step}",{until},["{reasons}"],null]'
        case NoStep():
            return f'["no_step",null,null,["{verdict.reason}"],null]'
