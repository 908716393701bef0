"""What would be sent to one client from day to day: decisions made on a copy of its state, never said.

Every message is taken as carried out on the day it is decided, automatic and manual alike, and accounting as
synchronised every day. Days on which nothing can change are passed over, and entries that sleep are left out of a
look where they cannot matter: a spec holds the result against deciding everything every day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from services.dunning.domain.arrivals import NEVER, Coming
from services.dunning.domain.dates import dates_of
from services.dunning.domain.decision import decide_openly
from services.dunning.domain.openly import Openly
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import NOTICE, THANKS, Scenario, level_number
from services.dunning.domain.state import ClientState, EntryState, OpenAction
from services.dunning.domain.state import Contact as Contacted
from services.dunning.domain.triggers import ONE_DAY
from services.dunning.domain.verdicts import Decision, Due, Excluded, NoStep, NotDue, PlannedAction


class Contact(NamedTuple):
    """One message carried out. Amounts in ten-thousandths; ``book_amount`` is net, in bookkeeping currency."""

    on: date
    step: str
    medium: str
    currency: str
    net_amount: int
    book_amount: int
    entries: int
    automatic: bool


@dataclass(frozen=True)
class Rules:
    """What is tried. ``follows`` sends the clients of a profile to the scenario of another one."""

    policy: Policy
    scenarios: Mapping[str, Scenario]
    follows: Mapping[str, str] = field(default_factory=dict)

    def scenario_of(self, client: ClientState) -> Scenario | None:
        profile = client.profile or self.policy.default_profile
        return self.scenarios.get(self.follows.get(profile, profile))


class LoneMessage(NamedTuple):
    """A message about one debit; ``after`` is the debit once it is carried out, but for its name and amounts."""

    step: str
    medium: str
    automatic: bool
    after: EntryState


class Alone(NamedTuple):
    """What becomes of a debit that is looked at by itself.

    ``wakes`` is the day of the next look; until then it does not matter to others, unless it is ``excluded`` by
    what its message would be: others may come and make it up with it.
    """

    wakes: date
    excluded: bool = False
    message: LoneMessage | None = None


class Company:
    """The rules of a company, and what is known of lone debits: the same dates come back for very many of them.

    Names and amounts are left out of what is remembered; of amounts only the place between the thresholds counts.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._known: dict[tuple[object, ...], Alone] = {}
        policy = rules.policy._asdict()
        self._thresholds = [
            value for name, value in policy.items() if name.startswith(("minimum_per", "maximum_per")) and value
        ]

    def alone(self, entry: EntryState, client: ClientState, of_client: tuple[object, ...], on: date) -> Alone:
        """Of a debit, or of any entry that is excluded by reasons of its own.

        ``of_client`` is ``client_key(client)``; entries and open actions of the client do not matter.
        """
        book = entry.book_amount
        place = [(book > threshold) - (book < threshold) for threshold in self._thresholds]
        key = (on, of_client, *entry_key(entry), entry.amount > 0, *place)
        if key not in self._known:
            self._known[key] = self._look(entry, client._replace(entries=(entry,), open_actions=(), paid=()), on)
        return self._known[key]

    def _look(self, entry: EntryState, client: ClientState, on: date) -> Alone:
        seen = decide_openly(client, self.rules.policy, self.rules.scenario_of(client), on)
        decision = seen.decision
        match decision.verdicts[entry.entry_id]:
            case NotDue() as verdict:
                return Alone(verdict.until)
            case NoStep():
                return Alone(NEVER)
            case Excluded():
                return Alone(decision.next_on or NEVER, excluded=not seen.looks[entry.entry_id].reasons)
            case Due():
                (planned,) = decision.actions
                after = _after(entry, planned.step, planned.entries[0].level_after, on)
                message = LoneMessage(planned.step, planned.medium, planned.automatic, after)
                return Alone(self.rests_until(after, client, on), message=message)

    def rests_until(self, entry: EntryState, client: ClientState, on: date) -> date:
        """The day of the next step of an entry that was reminded on ``on``: never the same one (rule 22.11)."""
        scenario = self.rules.scenario_of(client)
        plan = None if scenario is None else scenario.plan(client.has_email)
        coming = None if plan is None else dates_of(plan, on).of(entry).pending
        return NEVER if coming is None else coming.on

    def needs_all(self, client: ClientState) -> bool:
        """The whole account, or payments to thank for, matter to every look."""
        policy = self.rules.policy
        if policy.mode != "item" or client.open_actions:
            return True
        return bool(client.paid) or policy.tolerance_amount is not None or client.tolerance_amount is not None


_NAMES_AND_AMOUNTS = {"entry_id", "amount", "book_amount", "entered"}
_OF_NO_ENTRY = {"client_id", "entries", "open_actions", "paid"}
entry_key = itemgetter(*(n for n, name in enumerate(EntryState._fields) if name not in _NAMES_AND_AMOUNTS))
client_key = itemgetter(*(n for n, name in enumerate(ClientState._fields) if name not in _OF_NO_ENTRY))


def live(client: ClientState, coming: Coming, company: Company, first: date, last: date) -> list[Contact]:
    """Every message from ``first`` to ``last``, both included, in order."""
    return _Life(client, coming, company).until(first, last)


def live_through(
    client: ClientState, coming: Coming, companies: Sequence[tuple[date, Company]], first: date, last: date
) -> list[Contact]:
    """The same under rules that change: each holds from its day on, the first ones from the beginning."""
    contacts: list[Contact] = []
    for number, (begins, company) in enumerate(companies):
        ends = companies[number + 1][0] - ONE_DAY if number + 1 < len(companies) else last
        life = _Life(client, coming, company)
        contacts += life.until(max(begins, first) if number else first, min(ends, last))
        client = life.client
    return contacts


def every_day(client: ClientState, coming: Coming, company: Company, first: date, last: date) -> list[Contact]:
    """The same as ``live`` the long way: everything decided on every day. For specs and doubts."""
    life = _Life(client, coming, company)
    on = first
    while on <= last:
        life.wakes.clear()
        life.until(on, on)
        on += ONE_DAY
    return life.contacts


class _Life:
    __slots__ = ("client", "coming", "company", "contacts", "key", "rules", "scenario", "wakes")

    def __init__(self, client: ClientState, coming: Coming, company: Company) -> None:
        self.coming = coming
        self.company = company
        self.rules = company.rules
        self.contacts: list[Contact] = []
        self.wakes: dict[str, date] = {}
        """Entries that are known to need no look before a day."""
        self._becomes(client)

    def _becomes(self, client: ClientState) -> None:
        """Accounting is taken as read every day (rule 2.6)."""
        contacts = client.contacts if self.rules.policy.contact_gap_days else ()
        self.client = client._replace(synced_on=NEVER, contacts=contacts)
        self.scenario = self.rules.scenario_of(client)
        self.key = client_key(self.client)

    def until(self, first: date, last: date) -> list[Contact]:
        on = first
        while on <= last:
            if self.coming.next_on() <= on:
                self._becomes(self.coming.arrive(on, self.client))
                self.wakes.clear()
            again = self._day(on)
            on = max(min(again, self.coming.next_on()), on + ONE_DAY)
        return self.contacts

    def _day(self, on: date) -> date:
        """Live one day; the next one on which something can happen by itself."""
        awake = self._awake(on)
        if awake is None:
            return self._look_at_all(on)
        if len(awake) == 1:
            return min(self._look_at_one(awake[0], on), self._first_waking())
        seen = decide_openly(self.client._replace(entries=awake), self.rules.policy, self.scenario, on)
        decision = seen.decision
        self._note(seen, awake, on)
        self._rest(self._carry_out(decision, on), on)
        return min(decision.next_on or NEVER, self._first_waking())

    def _look_at_all(self, on: date) -> date:
        seen = decide_openly(self.client, self.rules.policy, self.scenario, on)
        decision = seen.decision
        self.wakes.clear()
        self._note(seen, self.client.entries, on)
        moved = self._carry_out(decision, on)
        if not moved and not decision.actions:
            return decision.next_on or NEVER
        if self.company.needs_all(self.client):
            return on + ONE_DAY
        self._rest(moved, on)
        return min(decision.next_on or NEVER, self._first_waking())

    def _rest(self, moved: Iterable[EntryState], on: date) -> None:
        """Entries that were just reminded sleep until their next step."""
        for entry in moved:
            self.wakes[entry.entry_id] = self.company.rests_until(entry, self.client, on)

    def _look_at_one(self, entry: EntryState, on: date) -> date:
        """From memory, the day of its next look."""
        found = self.company.alone(entry, self.client, self.key, on)
        message = found.message
        if message is not None:
            amounts = (entry.currency, entry.amount, entry.book_amount)
            self.contacts.append(Contact(on, message.step, message.medium, *amounts, 1, message.automatic))
            after = message.after._replace(
                entry_id=entry.entry_id, amount=entry.amount, book_amount=entry.book_amount
            )
            entries = tuple([after if one is entry else one for one in self.client.entries])
            self._becomes(_contacted(self.client._replace(entries=entries), on))
        if found.excluded:
            self.wakes.pop(entry.entry_id, None)
        else:
            self.wakes[entry.entry_id] = found.wakes
        return found.wakes

    def _awake(self, on: date) -> tuple[EntryState, ...] | None:
        """The entries to look at; ``None`` for all of them.

        A sleeping debit matters to others only through the account as a whole, or by the level at which a credit
        waits for it.
        """
        client = self.client
        if not self.wakes or self.company.needs_all(client):
            return None
        awake = tuple(entry for entry in client.entries if self.wakes.get(entry.entry_id, on) <= on)
        if any(entry.amount <= 0 for entry in awake) or sum(entry.book_amount for entry in client.entries) <= 0:
            return None
        return awake

    def _note(self, seen: Openly, looked_at: Iterable[EntryState], on: date) -> None:
        verdicts = seen.decision.verdicts
        for entry in looked_at:
            match verdicts[entry.entry_id]:
                case NotDue() as verdict:
                    self.wakes[entry.entry_id] = verdict.until
                case NoStep():
                    self.wakes[entry.entry_id] = NEVER
                case Excluded() if seen.looks[entry.entry_id].reasons:
                    self._put_to_sleep(entry, on)
                case _:  # one that is held by its message stays awake: others may come and make it up with it
                    self.wakes.pop(entry.entry_id, None)

    def _put_to_sleep(self, entry: EntryState, on: date) -> None:
        """An entry that is excluded by reasons of its own, until they may end."""
        self.wakes[entry.entry_id] = self.company.alone(entry, self.client, self.key, on).wakes

    def _first_waking(self) -> date:
        return min(self.wakes.values(), default=NEVER)

    def _carry_out(self, decision: Decision, on: date) -> list[EntryState]:
        """Everything open is done today; the entries as they are after it, where they moved."""
        client = self.client
        if not (decision.actions or decision.moves or client.open_actions):
            return []
        known = {entry.entry_id: entry for entry in client.entries}
        moved: dict[str, EntryState] = {}
        thanked: set[str] = set()
        withdrawn = {one.action_id for one in decision.withdrawals}
        standing = [one for one in client.open_actions if one.action_id not in withdrawn]
        for opened in standing:
            self.contacts.append(_of_open(opened, known, self.rules.policy, on))
            if opened.step == THANKS:
                thanked.update(held.entry_id for held in opened.entries)
            else:
                moved |= _reached_by(opened, known, self.scenario, client.has_email, on)
        for planned in decision.actions:
            self.contacts.append(_of_planned(planned, on))
            for held in planned.entries:
                if planned.step == THANKS:
                    thanked.add(held.entry_id)
                else:
                    moved[held.entry_id] = _after(known[held.entry_id], planned.step, held.level_after, on)
        for move in decision.moves:
            moved[move.entry_id] = _reminded(known[move.entry_id], move.level_after, on)
        entries = tuple([moved.get(entry.entry_id, entry) for entry in client.entries])
        paid = tuple([group for group in client.paid if thanked.isdisjoint(line.entry_id for line in group.lines)])
        client = client._replace(entries=entries, open_actions=(), paid=paid)
        self._becomes(_contacted(client, on) if standing or decision.actions else client)
        return list(moved.values())


def _of_planned(planned: PlannedAction, on: date) -> Contact:
    return Contact(
        on,
        planned.step,
        planned.medium,
        planned.currency,
        planned.net_amount,
        planned.book_net_amount,
        len(planned.entries),
        planned.automatic,
    )


def _of_open(opened: OpenAction, known: Mapping[str, EntryState], policy: Policy, on: date) -> Contact:
    """An action that was open when the simulation began, with the amounts that it holds."""
    net = book = 0
    for held in opened.entries:
        if held.amount > 0 or policy.netting != "none":
            net += held.amount
            entry = known.get(held.entry_id)
            book += held.amount if entry is None else entry.book_amount
    return Contact(on, opened.step, opened.medium, opened.currency, net, book, len(opened.entries), False)


def _reached_by(
    opened: OpenAction, known: Mapping[str, EntryState], scenario: Scenario | None, has_email: bool, on: date
) -> dict[str, EntryState]:
    """Where an open action brings its entries: followers of an account by one level of their own (rule 6.4)."""
    level = level_number(opened.step)
    held = [known[one.entry_id] for one in opened.entries if one.entry_id in known]
    plan = None if scenario is None else scenario.plan(has_email)
    highest = max((entry.level for entry in held if entry.amount > 0), default=0)
    reached = {}
    for entry in held:
        after = level
        if opened.mode == "account" and entry.level < highest and plan is not None and plan.after[entry.level]:
            after = min(level, plan.after[entry.level][0].level)
        reached[entry.entry_id] = _after(entry, opened.step, after, on)
    return reached


def _after(entry: EntryState, step: str, level: int, on: date) -> EntryState:
    """A notice does not change the level (rule 5.4)."""
    return entry._replace(noticed_on=on) if step == NOTICE else _reminded(entry, level, on)


def _reminded(entry: EntryState, level: int, on: date) -> EntryState:
    """No level ever falls. A next step that a person had chosen is done with."""
    return entry._replace(level=max(entry.level, level), reminded_on=on, forced=False)


def _contacted(client: ClientState, on: date) -> ClientState:
    """The last contact is the one that counts (rule 22.7): what later days say is of other rounds."""
    return client._replace(contacts=(Contacted(on, None),))
