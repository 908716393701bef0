"""The past of a client as it came, day by day, to be decided anew: facts of others only.

A line of accounting takes effect on the day it was delivered. What came with the first delivery of a source is
older than that: it takes effect on its own dates, entered unlettered on its entry date, lettered on its lettering
date, as if deliveries had been made since the beginning. What is first told of a client (its profile, whether it
has an e-mail address) is taken as having always been so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from contracts import dunning, ledger, sync
from contracts.event import Event
from services.dunning.domain.arrivals import NEVER
from services.dunning.domain.evolve import ClientBook, Stage, evolve
from services.dunning.domain.sayings import CREDIT_ALONE
from services.dunning.domain.state import ClientState

Fact = tuple[date, Event]


class History:
    """A client's facts, to be lived by ``simulation.live``. Levels that the simulation reached stay its own."""

    def __init__(self, book: ClientBook, facts: Iterable[Fact]) -> None:
        self.book = book
        self._left = sorted(facts, key=_day)[::-1]
        self._given = book.state().paid

    def fork(self) -> "History":
        """The same again, to be lived by other rules."""
        return History(self.book, reversed(self._left))

    def next_on(self) -> date:
        return self._left[-1][0] if self._left else NEVER

    def arrive(self, on: date, client: ClientState) -> ClientState:
        """A person's setting of a level counts; what was sent in reality does not."""
        stages = dict(self.book.stages)
        for entry in client.entries:
            before = stages.get(entry.entry_id, Stage())
            stages[entry.entry_id] = replace(
                before,
                level=entry.level,
                reminded_on=entry.reminded_on,
                noticed_on=entry.noticed_on,
                next_step=before.next_step if entry.forced else None,
            )
        thanked = {line.entry_id for group in self._given if group not in client.paid for line in group.lines}
        book = replace(self.book, stages=stages, actions={}, entered={}, thanked=self.book.thanked.union(thanked))
        while self._left and self._left[-1][0] <= on:
            told_on, event = self._left.pop()
            book = evolve(book, event, told_on)
        self.book = book
        state = book.state()
        self._given = state.paid
        return state._replace(contacts=client.contacts)


def _day(fact: Fact) -> date:
    return fact[0]


def begin(company: str, client_id: str, facts: Sequence[Fact], first: date) -> tuple[ClientState, History]:
    """The client on the eve of ``first``, as it really was, and the facts of others from that day on."""
    book = ClientBook(company, client_id)
    later: list[Fact] = []
    for on, event in sorted(facts, key=_day):
        if on < first:
            book = evolve(book, event, on)
        elif _is_of_others(event):
            later.append((on, event))
    book = replace(book, entered={})
    return book.state(), History(book, later)


def _is_of_others(event: Event) -> bool:
    """Not what was decided and done in reality. What people set and chose is theirs, though dunning says it."""
    if isinstance(event, dunning.LevelSet):
        return event.reason != CREDIT_ALONE
    return not isinstance(event, DECIDED)


DECIDED = (
    dunning.ActionProposed,
    dunning.ActionDue,
    dunning.ActionWithdrawn,
    dunning.ActionDone,
    dunning.ActionExcluded,
    dunning.DunningExhausted,
)


def by_client(events: Iterable[Fact], opened: Mapping[str, date] | None = None) -> dict[str, list[Fact]]:
    """Facts by the client they are about, in the order given; those that speak of many clients are cut.

    ``opened`` tells the day of each source's first delivery.
    """
    facts: dict[str, list[Fact]] = {}
    introduced: set[str] = set()
    for on, event in events:
        for client_id, came_on, one in _cut(on, event, opened or {}):
            always = isinstance(one, ledger.ClientChanged) and client_id not in introduced
            if always:
                introduced.add(client_id)
            facts.setdefault(client_id, []).append((date.min if always else came_on, one))
    return facts


def _cut(on: date, event: Event, opened: Mapping[str, date]) -> Iterator[tuple[str, date, Event]]:
    match event:
        case sync.EntriesSynced():
            by_owner: dict[str, list[sync.SyncedEntry]] = {}
            for line in event.entries:
                by_owner.setdefault(line.client_id, []).append(line)
            for owner, lines in by_owner.items():
                parts = _as_they_came(lines, on) if opened.get(event.source) == on else [(on, lines)]
                for came_on, some in parts:
                    yield owner, came_on, event.model_copy(update={"entries": tuple(some)})
        case ledger.ClientsChanged():
            for changed in event.clients:
                yield changed.client_id, on, ledger.ClientChanged.model_validate(changed.model_dump())
        case ledger.PaymentsLettered():
            for group in event.groups:
                yield group.client_id, on, ledger.PaymentLettered.model_validate(group.model_dump())
        case dunning.ActionProposed() | dunning.ActionDue():
            yield event.action.client_id, on, event
        case _:
            client_id: str | None = getattr(event, "client_id", None)
            if client_id is not None:
                yield client_id, on, event


def _as_they_came(
    lines: Sequence[sync.SyncedEntry], delivered_on: date
) -> list[tuple[date, list[sync.SyncedEntry]]]:
    """Where accounting gives no lettering date, a group was lettered when its last line was entered."""
    last_of: dict[tuple[str, str], date] = {}
    for line in lines:
        if line.lettering is not None:
            group = (line.account, line.lettering)
            last_of[group] = max(last_of.get(group, line.entry_date), line.entry_date)
    came: dict[date, list[sync.SyncedEntry]] = {}
    for line in lines:
        entered_on = min(line.entry_date, delivered_on)
        if line.lettering is None:
            came.setdefault(entered_on, []).append(line)
            continue
        lettered_on = min(line.lettered_on or last_of[line.account, line.lettering], delivered_on)
        if lettered_on > entered_on:
            unlettered = line.model_copy(update={"lettering": None, "lettered_on": None})
            came.setdefault(entered_on, []).append(unlettered)
        came.setdefault(max(lettered_on, entered_on), []).append(line)
    return sorted(came.items())
