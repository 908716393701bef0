"""The things that can happen in a story, each as the fact that the service would hear or say."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import NAMESPACE_OID, UUID, uuid5

from cli.story.acting import NobodyFits, act
from cli.story.format import (
    Act,
    Automatic,
    Book,
    CancelPromise,
    Change,
    Choice,
    ClientChange,
    Contact,
    Dispute,
    Happening,
    Letter,
    OwnPolicy,
    Promise,
    Remove,
    Reposition,
    ScenarioEdit,
    Stop,
    Unletter,
    Which,
    Whom,
)
from cli.story.publishing import published
from cli.story.reading import StoryRefused
from cli.story.state import ClientRound, Round, Telling, client_changed, entry_id
from contracts import dunning, ledger, notify, sync
from contracts.terms import lettering_difference
from services.dunning.domain import policy as policies
from services.dunning.domain import sayings
from services.dunning.domain.calendar import uncovered_since
from services.dunning.domain.decision import decide
from services.dunning.domain.scenario import ScenarioRefused, level_name
from services.dunning.domain.scenario import load as load_scenario
from services.dunning.domain.verdicts import Decision

RUN = UUID(int=0)


class Happens:
    def __init__(self, telling: Telling, on: date, path: tuple[str | int, ...]) -> None:
        self.telling = telling
        self.on = on
        self.path = path

    def refuse(self, key: str, sentence: str) -> StoryRefused:
        return self.telling.places.refuse((*self.path, key), sentence)

    def live(self, happening: Happening) -> None:
        word = str(self.path[-1])
        thing = getattr(happening, word)
        if word in {"invoice", "credit_note", "payment"}:
            self._booked(word, thing)
        elif word == "client":
            self._client_changes(thing)
        elif word != "expect":
            getattr(self, f"_{word}")(thing)

    def _client(self, name: str, key: str = "client") -> str:
        if name not in self.telling.books:
            raise self.refuse(key, f"{name} is not a client of this story")
        return name

    def _line(self, name: str, key: str = "entry") -> tuple[str, sync.SyncedEntry]:
        if name not in self.telling.owners:
            raise self.refuse(key, f"{name} is not an entry of this story, or not yet")
        client = self.telling.owners[name]
        return client, self.telling.books[client].lines[entry_id(name)]

    def _synced(self, client: str, *lines: sync.SyncedEntry) -> None:
        self.telling.say(client, sync.EntriesSynced(run_id=RUN, source="story", entries=lines), self.on)

    def _booked(self, kind: str, book: Book) -> None:
        client = self._client(book.client)
        if book.entry in self.telling.owners:
            raise self.refuse("entry", f"{book.entry} stands in this story already; use change")
        home = self.telling.story.company.currency
        currency = book.currency or home
        if currency != home and book.book_amount is None:
            raise self.refuse("book_amount", f"an entry in {currency} needs its amount in {home}")
        sign = 1 if kind == "invoice" else -1
        entered_on = book.dated or self.on
        self.telling.owners[book.entry] = client
        self.telling.names[entry_id(book.entry)] = book.entry
        self._synced(
            client,
            sync.SyncedEntry(
                entry_id=entry_id(book.entry),
                client_id=client,
                account="411",
                kind=kind,
                journal="",
                piece=book.entry,
                entry_date=entered_on,
                invoice_date=book.invoice_date,
                due_date=book.due or entered_on,
                debit=book.amount if sign > 0 else Decimal(0),
                credit=Decimal(0) if sign > 0 else book.amount,
                currency=currency,
                book_amount=sign * (book.book_amount or book.amount),
                payment_mode=book.payment_mode,
            ),
        )

    def _letter(self, letter: Letter) -> None:
        found = [self._line(name, "entries") for name in letter.entries]
        if len({client for client, _ in found}) > 1:
            raise self.refuse("entries", "lettering joins entries of one client")
        lines = [line.model_copy(update={"lettering": letter.code, "lettered_on": self.on}) for _, line in found]
        self._synced(found[0][0], *lines)
        self._announce(found[0][0], letter.code, lines)

    def _announce(self, client: str, code: str, lines: list[sync.SyncedEntry]) -> None:
        """As ledger does: payments of a balanced group, once each, with what they settle (rule 12)."""
        paying = [
            line
            for line in lines
            if line.kind == "payment" and line.credit and line.entry_id not in self.telling.announced
        ]
        settled = [line for line in lines if line.kind != "payment" and line.debit]
        if not paying or not settled or lettering_difference(line.book_amount for line in lines):
            return
        self.telling.announced.update(line.entry_id for line in paying)
        lettered = ledger.PaymentLettered(
            client_id=client,
            account="411",
            lettering=code,
            payments=tuple(sorted(line.entry_id for line in paying)),
            settled=tuple(sorted(line.entry_id for line in settled)),
            paid_on=max(line.entry_date for line in paying),
        )
        self.telling.say(client, lettered, self.on)

    def _unletter(self, unletter: Unletter) -> None:
        book = self.telling.books[self._client(unletter.client)]
        lines = [line for line in book.lines.values() if line.lettering == unletter.code]
        if not lines:
            raise self.refuse("code", f"no entry of {unletter.client} is lettered {unletter.code}")
        freed = {"lettering": None, "lettered_on": None}
        self._synced(unletter.client, *(line.model_copy(update=freed) for line in lines))

    def _change(self, change: Change) -> None:
        client, line = self._line(change.entry)
        update: dict[str, object] = {}
        if change.amount is not None:
            side = "debit" if line.debit else "credit"
            update[side] = change.amount
            update["book_amount"] = change.amount if line.debit else -change.amount
        if change.due is not None:
            update["due_date"] = change.due
        if change.payment_mode is not None:
            update["payment_mode"] = change.payment_mode
        self._synced(client, line.model_copy(update=update))

    def _remove(self, remove: Remove) -> None:
        client, line = self._line(remove.entry)
        self._synced(client, line.model_copy(update={"removed": True}))

    def _promise(self, promise: Promise) -> None:
        client, line = self._line(promise.entry)
        made = ledger.PromiseRecorded(
            promise_id=_promise_id(promise.entry, promise.on),
            client_id=client,
            entry_id=line.entry_id,
            amount=promise.amount,
            currency=line.currency,
            promised_on=promise.on,
        )
        self.telling.say(client, made, self.on)

    def _cancel_promise(self, cancel: CancelPromise) -> None:
        client, line = self._line(cancel.entry)
        promise_id = _promise_id(cancel.entry, cancel.on)
        if promise_id not in self.telling.books[client].promises:
            raise self.refuse("on", f"{cancel.entry} has no promise for {cancel.on}")
        cancelled = ledger.PromiseCancelled(promise_id=promise_id, client_id=client, entry_id=line.entry_id)
        self.telling.say(client, cancelled, self.on)

    def _stop(self, whom: Stop) -> None:
        until = whom.resumes_on
        if until is not None and until <= self.on:
            raise self.refuse("resumes_on", "a stop ends on a later day")
        client, entry = self._whom(whom)
        if entry is None:
            self.telling.say(client, ledger.ClientStopped(client_id=client, resumes_on=until), self.on)
        else:
            stopped = ledger.EntryStopped(client_id=client, entry_id=entry, resumes_on=until)
            self.telling.say(client, stopped, self.on)

    def _whom(self, whom: Whom) -> tuple[str, str | None]:
        if whom.client is not None:
            return self._client(whom.client), None
        assert whom.entry is not None
        client, line = self._line(whom.entry)
        return client, line.entry_id

    def _dispute(self, dispute: Dispute) -> None:
        client, entry = self._whom(dispute)
        opened = ledger.DisputeOpened(
            dispute_id=_dispute_id(client, entry), client_id=client, entry_id=entry, reason=dispute.reason
        )
        self.telling.say(client, opened, self.on)

    def _close_dispute(self, whom: Whom) -> None:
        client, entry = self._whom(whom)
        dispute_id = _dispute_id(client, entry)
        if dispute_id not in self.telling.books[client].disputes:
            raise self.refuse("entry" if entry else "client", "is not in dispute")
        closed = ledger.DisputeClosed(dispute_id=dispute_id, client_id=client, entry_id=entry)
        self.telling.say(client, closed, self.on)

    def _reposition(self, reposition: Reposition) -> None:
        client, line = self._line(reposition.entry)
        repositioned = ledger.EntryRepositioned(
            client_id=client, entry_id=line.entry_id, expected_on=reposition.on
        )
        self.telling.say(client, repositioned, self.on)

    def _resume(self, whom: Whom) -> None:
        client, entry = self._whom(whom)
        if entry is None:
            self.telling.say(client, ledger.ClientResumed(client_id=client), self.on)
        else:
            self.telling.say(client, ledger.EntryResumed(client_id=client, entry_id=entry), self.on)

    def _client_changes(self, change: ClientChange) -> None:
        book = self.telling.books[self._client(change.client)]
        given = change.model_fields_set
        email = ("x" if book.has_email else None) if "email" not in given else change.email
        profile = book.profile if "profile" not in given else change.profile
        mode = book.payment_mode if "payment_mode" not in given else change.payment_mode
        self.telling.say(change.client, client_changed(change.client, email, profile, mode), self.on)

    def _policy(self, options: dict[str, object]) -> None:
        unknown = set(options) - set(dunning.PolicyChanged.model_fields)
        if unknown:
            raise self.refuse(min(unknown), "is not an option of the policy")
        merged = {**self.telling.policy.model_dump(include=set(dunning.PolicyChanged.model_fields)), **options}
        try:
            self.telling.policy = dunning.PolicyChanged.model_validate(merged)
            policies.load(self.telling.policy)
        except (ValueError, policies.PolicyRefused) as refusal:
            raise self.telling.places.refuse(self.path, str(refusal)) from refusal

    def _scenario(self, edit: ScenarioEdit) -> None:
        before = self.telling.published.get(edit.profile)
        edited = published(edit.profile, edit.steps, 1 if before is None else before.version + 1)
        try:
            load_scenario(edited, self.telling.days)
        except ScenarioRefused as refusal:
            raise self.refuse("steps", str(refusal)) from refusal
        self.telling.published[edit.profile] = edited

    def _round(self, _: object) -> None:
        if self.telling.rounds and self.telling.rounds[-1].on == self.on:
            raise self.telling.places.refuse(self.path, "a company has one round a day")
        policy = policies.load(self.telling.policy)
        found = []
        scenarios = self.telling.scenarios
        since = uncovered_since(self.on, [one.on for one in self.telling.rounds], self.telling.days)
        if self.telling.is_read:
            self._read(self.on)
        for client in self.telling.books:
            book = self.telling.books[client]
            before = frozenset(book.actions)
            state = book.state()
            scenario = scenarios.get(state.profile or policy.default_profile)
            decision = decide(state, policy, scenario, self.on, since)
            ends = self._record(client, decision)
            after = tuple(self.telling.books[client].actions)
            found.append(ClientRound(client, decision, before, after, ends))
        self.telling.rounds.append(Round(self.on, found))

    def _record(self, client: str, decision: Decision) -> tuple[str, ...]:
        """Say all of it; the entries whose end was said."""
        for withdrawal in decision.withdrawals:
            self.telling.withdrawn.append((self.on, withdrawal.action_id, withdrawal.reason))
            self.telling.say(client, sayings.withdrawn(client, withdrawal), self.on)
        for planned in decision.actions:
            event = sayings.opening(client, decision, planned)
            assert isinstance(event, dunning.ActionProposed | dunning.ActionDue)
            self.telling.actions[planned.action_id] = event.action
            self.telling.opened_on[planned.action_id] = self.on
            if planned.automatic:
                self.telling.automatic.add(planned.action_id)
            self.telling.say(client, event, self.on)
        if decision.moves:
            self.telling.say(client, sayings.advanced(client, decision.moves, self.on), self.on)
        known = self.telling.books[client].exhausted()
        ends = sayings.newly_exhausted(client, decision.verdicts, known)
        for end in ends:
            self.telling.say(client, end, self.on)
        return tuple(end.entry_id for end in ends)

    def _read(self, on: date) -> None:
        """Accounting was read well, which concerns every client."""
        read = sync.SyncCompleted(
            run_id=RUN,
            connector="story",
            source="story",
            completed_at=datetime.combine(on, time(), UTC),
            entries_read=0,
            changed=0,
            archived=0,
            positions={},
        )
        for client in self.telling.books:
            self.telling.say(client, read, on)

    def _sync(self, _: object) -> None:
        self.telling.is_read = True

    def _silence(self, _: object) -> None:
        """The last reading was that of the eve."""
        self._read(self.on - timedelta(days=1))
        self.telling.is_read = False

    def _contact(self, contact: Contact) -> None:
        client = self._client(contact.client)
        made = notify.CallLogged(
            action_id=uuid5(NAMESPACE_OID, f"contact {client} {self.on}"), client_id=client, outcome="reached"
        )
        self.telling.say(client, made, self.on)

    def _own_policy(self, own: OwnPolicy) -> None:
        client = self._client(own.client)
        if own.profile is not None and own.profile not in self.telling.scenarios:
            raise self.refuse("profile", f"{own.profile} has no scenario in this story")
        changed = dunning.ClientPolicyChanged(client_id=client, **own.model_dump(exclude={"client"}))
        try:
            policies.check_tolerance(own.tolerance_days, own.tolerance_amount)
        except policies.PolicyRefused as refusal:
            raise self.telling.places.refuse(self.path, str(refusal)) from refusal
        self.telling.say(client, changed, self.on)

    def _automatic(self, automatic: Automatic) -> None:
        for name in automatic.entries:
            client, line = self._line(name, "entries")
            choice = dunning.AutomaticChoice(entry_id=line.entry_id, automatic=automatic.chosen)
            self.telling.say(client, dunning.AutomaticChosen(client_id=client, entries=(choice,)), self.on)

    def _chosen(self, choice: Choice) -> list[dunning.Action]:
        which = choice if isinstance(choice, Which) else Which()
        chosen = [
            self.telling.actions[action_id]
            for client, book in self.telling.books.items()
            for action_id, opened in book.actions.items()
            if which.client in (None, client) and which.step in (None, opened.step)
        ]
        if not chosen and isinstance(choice, Which):
            raise self.telling.places.refuse(self.path, "no open action is like this")
        return chosen

    def _act(self, wanted: Act) -> None:
        try:
            self.telling.acted = act(self.telling, self.on, wanted)
        except NobodyFits as nobody:
            raise self.refuse("include", str(nobody)) from nobody

    def _confirm(self, choice: Choice) -> None:
        for action in self._chosen(choice):
            self.telling.say(action.client_id, dunning.ActionDue(action=action), self.on)

    def _carry_out(self, choice: Choice) -> None:
        for action in self._chosen(choice):
            book = self.telling.books[action.client_id]
            levels = {key: level_name(stage.level) for key, stage in book.stages.items()}
            self.telling.say(action.client_id, sayings.done(action, levels, self.on), self.on)
            self.telling.done.setdefault(self.on, []).append(action.action_id)

    def _fail(self, choice: Choice) -> None:
        for action in self._chosen(choice):
            failed = dunning.ActionWithdrawn(
                action_id=action.action_id, client_id=action.client_id, reason="email_failed"
            )
            self.telling.withdrawn.append((self.on, action.action_id, "email_failed"))
            self.telling.say(action.client_id, failed, self.on)


def _dispute_id(client: str, entry: str | None) -> UUID:
    return uuid5(NAMESPACE_OID, f"dispute {client} {entry}")


def _promise_id(entry: str, on: date) -> UUID:
    return uuid5(NAMESPACE_OID, f"{entry} {on}")
