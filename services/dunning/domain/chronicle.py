"""The history of one client told line by line: what came, what was said, decided and done, when and by whom.

Only what was recorded then is told; nothing is decided again.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from contracts import dunning, ledger, notify, sync
from contracts.event import Event
from services.dunning.domain.amounts import ten_thousandths
from services.dunning.domain.explain import explain_reason
from services.dunning.domain.memory import Told
from services.dunning.domain.sayings import CREDIT_ALONE
from services.dunning.domain.wording import Facts, Medium, Money, StepName
from services.dunning.domain.words import PAST, Explanation, tell


class Happened(NamedTuple):
    """One line. ``by`` is the actor as events name it; ``recorded`` the figures that the event carried."""

    on: date
    at: datetime | None
    by: str
    told: Explanation
    entries: tuple[str, ...]
    action_id: UUID | None
    position: str
    recorded: Mapping[str, Any]


class Line(NamedTuple):
    """What an event gives to tell, before it is put into words."""

    code: str
    facts: Facts
    entries: tuple[str, ...] = ()
    action_id: UUID | None = None
    recorded: Mapping[str, Any] = MappingProxyType({})


def chronicle(client_id: str, history: Iterable[Told], home: str = "EUR", language: str = "en") -> list[Happened]:
    """Every line, in the order given."""
    telling = _Telling(client_id, home, language)
    return [
        Happened(
            told.on,
            told.at,
            told.by,
            tell(PAST[line.code], line.facts, language),
            line.entries,
            line.action_id,
            told.position,
            line.recorded,
        )
        for told in history
        for line in telling.lines(told.event)
    ]


class _Telling:
    """What is known while the history is told: a change is told against what was there before."""

    def __init__(self, client_id: str, home: str, language: str) -> None:
        self.client_id = client_id
        self.home = home
        self.language = language
        self.known: dict[str, sync.SyncedEntry] = {}
        self.client: tuple[bool, str | None, str | None] | None = None
        self.actions: dict[UUID, dunning.Action] = {}

    def lines(self, event: Event) -> Iterator[Line]:
        match event:
            case sync.EntriesSynced():
                for line in event.entries:
                    yield from self._entry(line)
            case ledger.ClientsChanged():
                for client in event.clients:
                    yield from self._client(client)
            case ledger.ClientChanged():
                yield from self._client(event)
            case ledger.PromiseRecorded() | ledger.PromiseCancelled():
                yield self._promise(event)
            case dunning.ActionProposed() | dunning.ActionDue():
                yield self._opened(event)
            case dunning.ActionExcluded():
                for entry in event.entries:
                    yield self._excluded(entry)
            case _:
                yield from self._stated(event)
                yield from self._done(event)
                yield from self._carried_out(event)

    def piece(self, entry_id: str) -> str:
        line = self.known.get(entry_id)
        return (line.piece if line is not None else "") or entry_id[:8]

    def pieces(self, entries: Iterable[str]) -> str:
        named = [self.piece(entry) for entry in entries]
        if len(named) <= 4:
            return ", ".join(named)
        return ", ".join(named[:3]) + f" + {len(named) - 3}"

    def money(self, amount: Decimal, currency: str | None = None) -> Money:
        return Money(ten_thousandths(amount), currency or self.home)

    def _entry(self, line: sync.SyncedEntry) -> Iterator[Line]:
        before = self.known.get(line.entry_id)
        self.known[line.entry_id] = line
        of = (line.entry_id,)
        amount = self.money(line.debit - line.credit, line.currency)
        facts: dict[str, Any] = {"piece": self.piece(line.entry_id), "amount": amount, "due_date": line.due_date}
        if before is None or (before.removed and not line.removed):
            yield Line("entry_came", facts, of)
            if line.lettering is not None:
                yield Line("entry_settled", {**facts, "lettering": line.lettering}, of)
            return
        if line.removed:
            if not before.removed:
                yield Line("entry_taken_back", facts, of)
            return
        found = []
        if before.due_date != line.due_date:
            found.append(Line("entry_due_date_changed", {**facts, "before": before.due_date}, of))
        was = self.money(before.debit - before.credit, before.currency)
        if was != amount:
            found.append(Line("entry_amount_changed", {**facts, "before": was}, of))
        if before.lettering != line.lettering:
            if line.lettering is None:
                found.append(Line("entry_reopened", facts, of))
            else:
                found.append(Line("entry_settled", {**facts, "lettering": line.lettering}, of))
        yield from found or [Line("entry_changed_otherwise", facts, of)]

    def _client(self, client: ledger.ChangedClient) -> Iterator[Line]:
        """Only what dunning decides by; names and addresses changing are nothing to tell here."""
        now = (client.has_email, client.profile, client.payment_mode)
        before, self.client = self.client, now
        if before is None or before[0] != now[0]:
            yield Line("email_known" if client.has_email else "email_unknown", {})
        if before is None or before[1] != now[1]:
            yield Line("profile_is", {"profile": client.profile})
        if (before[2] if before else None) != now[2]:
            yield Line("payment_mode_is", {"payment_mode": client.payment_mode})

    def _promise(self, event: ledger.PromiseRecorded | ledger.PromiseCancelled) -> Line:
        of, piece = (event.entry_id,), self.piece(event.entry_id)
        match event:
            case ledger.PromiseRecorded():
                code = "promise_stands_again" if isinstance(event, ledger.PromiseReopened) else "promise_made"
                amount = self.money(event.amount, event.currency)
                return Line(code, {"piece": piece, "amount": amount, "promised_on": event.promised_on}, of)
            case ledger.PromiseKept():
                return Line("promise_kept", {"piece": piece}, of)
            case ledger.PromiseBroken():
                return Line("promise_broken", {"piece": piece}, of)
            case _:
                return Line("promise_cancelled", {"piece": piece}, of)

    def _stated(self, event: Event) -> Iterator[Line]:
        """What people said, and what ledger found."""
        match event:
            case ledger.ProfileAssigned():
                yield Line("profile_assigned", {"profile": event.profile})
            case ledger.ClientStopped():
                yield Line("client_was_stopped", {"until": event.resumes_on})
            case ledger.ClientResumed():
                yield Line("client_was_resumed", {})
            case ledger.EntryStopped():
                facts = {"piece": self.piece(event.entry_id), "until": event.resumes_on}
                yield Line("entry_was_stopped", facts, (event.entry_id,))
            case ledger.EntryResumed():
                yield Line("entry_was_resumed", {"piece": self.piece(event.entry_id)}, (event.entry_id,))
            case ledger.DisputeOpened() | ledger.DisputeClosed():
                opened = isinstance(event, ledger.DisputeOpened)
                piece = None if event.entry_id is None else self.piece(event.entry_id)
                of = () if event.entry_id is None else (event.entry_id,)
                recorded = {"reason": event.reason} if isinstance(event, ledger.DisputeOpened) else {}
                code = "dispute_was_opened" if opened else "dispute_was_closed"
                yield Line(code, {"piece": piece}, of, None, recorded)
            case ledger.EntryRepositioned():
                facts = {"piece": self.piece(event.entry_id), "expected_on": event.expected_on}
                yield Line("repositioned", facts, (event.entry_id,))
            case ledger.LetteringErrorFound():
                difference = self.money(event.difference)
                yield Line("lettering_error_found", {"lettering": event.lettering, "difference": difference})
            case ledger.ClientMerged():
                here = event.client_id == self.client_id
                yield Line("code_merged", {"into": event.into if here else None, "merged": event.client_id})
            case ledger.LetteringErrorCleared():
                yield Line("lettering_error_cleared", {"lettering": event.lettering})
            case _:
                return

    def _opened(self, event: dunning.ActionProposed | dunning.ActionDue) -> Line:
        action = event.action
        known = action.action_id in self.actions
        self.actions.setdefault(action.action_id, action)
        if isinstance(event, dunning.ActionProposed):
            code = "action_was_proposed"
        else:
            code = "action_was_confirmed" if known else "action_was_decided"
        entries = tuple(entry.entry_id for entry in action.entries)
        facts: Facts = {
            "step": StepName(action.step),
            "medium": Medium(action.medium),
            "net": self.money(action.net_amount, action.currency),
            "pieces": self.pieces(entries),
            "since": action.due_since,
        }
        recorded = self.actions[action.action_id].model_dump(mode="json", exclude_none=True)
        return Line(code, facts, entries, action.action_id, recorded)

    def _excluded(self, entry: dunning.ExcludedEntry) -> Line:
        piece = self.piece(entry.entry_id)
        if not entry.reasons:
            return Line("excluded_no_more", {"piece": piece}, (entry.entry_id,))
        facts: Facts = {"piece": piece, "step": StepName(entry.step), "why": self._why(entry.reasons)}
        recorded = {"step": entry.step, "reasons": list(entry.reasons)}
        return Line("was_excluded", facts, (entry.entry_id,), None, recorded)

    def _why(self, reasons: Iterable[str]) -> str:
        told = (explain_reason(reason, self.language).text for reason in reasons)
        return " ".join(told)

    def _done(self, event: Event) -> Iterator[Line]:
        match event:
            case dunning.ActionWithdrawn():
                action = self.actions.get(event.action_id)
                facts: dict[str, Any] = {"why": self._why([event.reason])}
                of: tuple[str, ...] = ()
                if action is not None:
                    facts["step"] = StepName(action.step)
                    of = tuple(entry.entry_id for entry in action.entries)
                yield Line("action_was_withdrawn", facts, of, event.action_id, {"reason": event.reason})
            case dunning.ActionDone():
                of = tuple(move.entry_id for move in event.levels)
                moved = [move for move in event.levels if move.level_after not in (None, move.level_before)]
                facts = {
                    "step": StepName(event.step),
                    "medium": Medium(event.medium),
                    "pieces": self.pieces(of),
                    "level": max((move.level_after or "" for move in moved), default=None),
                }
                recorded = event.model_dump(mode="json", include={"done_on", "levels"})
                yield Line("action_was_done", facts, of, event.action_id, recorded)
            case dunning.LevelSet():
                yield from self._levels(event)
            case dunning.AutomaticChosen():
                yield from self._automatic(event)
            case dunning.ClientPolicyChanged():
                recorded = event.model_dump(mode="json", exclude={"client_id"}, exclude_none=True)
                code = "client_never_reminded" if event.never else "own_policy"
                yield Line(code, {"profile": event.profile}, (), None, recorded)
            case dunning.DunningExhausted():
                yield Line("was_exhausted", {"piece": self.piece(event.entry_id)}, (event.entry_id,))
            case _:
                return

    def _carried_out(self, event: Event) -> Iterator[Line]:
        """How the message fared (rules 16.5, 22.16). That it left is told by the action that was done, that it was
        held back by the one that was withdrawn.
        """
        match event:
            case notify.PaymentLinkPaid():
                of = tuple(line.entry_id for line in event.entries)
                amount = self.money(event.amount, event.currency)
                recorded = event.model_dump(mode="json", include={"amount", "currency", "paid_at"})
                yield Line("was_paid_online", {"pieces": self.pieces(of), "amount": amount}, of, None, recorded)
            case notify.PaymentReturned():
                of = (*event.freed, *event.held)
                amount = self.money(event.amount, event.currency)
                recorded = event.model_dump(mode="json", include={"amount", "currency", "why", "returned_at"})
                facts = {"pieces": self.pieces(event.freed) if event.freed else None, "amount": amount}
                yield Line(f"payment_was_{event.why}", facts, of, None, recorded)
            case notify.EmailOpened():
                code = "email_was_perhaps_opened" if event.by_machine else "email_was_opened"
                yield self._message(code, event.action_id, {"by_machine": event.by_machine})
            case notify.EmailBounced():
                yield self._message(_returned(event), event.action_id, {"status": event.status})
            case notify.ReplyReceived():
                yield self._message("email_was_answered", event.action_id, {})
            case notify.EmailFailed():
                recorded = {"reason": event.reason, "status": event.status}
                yield self._message("email_did_not_leave", event.action_id, recorded)
            case notify.EmailInDoubt():
                yield self._message("email_in_doubt", event.action_id, {})
            case notify.CallLogged() | notify.OtherContactLogged() if event.action_id not in self.actions:
                medium = Medium("phone" if isinstance(event, notify.CallLogged) else "other")
                recorded = event.model_dump(mode="json", include={"outcome", "done_on"}, exclude_none=True)
                yield Line("contact_was_logged", {"medium": medium}, (), None, recorded)
            case _:
                return

    def _message(self, code: str, action_id: UUID, recorded: Mapping[str, Any]) -> Line:
        """``recorded`` are the figures of the event, of which a sentence may hold ``status``."""
        facts: dict[str, Any] = {"status": recorded.get("status")}
        entries: tuple[str, ...] = ()
        if (action := self.actions.get(action_id)) is not None:
            entries = tuple(entry.entry_id for entry in action.entries)
            facts |= {"step": StepName(action.step), "pieces": self.pieces(entries)}
        known = {name: value for name, value in recorded.items() if value is not None}
        return Line(code, facts, entries, action_id, known)

    def _levels(self, event: dunning.LevelSet) -> Iterator[Line]:
        """One line per level, since a person may set many at once."""
        alike: dict[tuple[str | None, str | None], list[str]] = {}
        for move in event.levels:
            alike.setdefault((move.next_step, move.level_after), []).append(move.entry_id)
        recorded = event.model_dump(mode="json", include={"reason", "set_on", "levels"})
        for (next_step, level), entries in alike.items():
            code = "credit_went_on" if event.reason == CREDIT_ALONE else "level_was_set"
            facts: dict[str, Any] = {"pieces": self.pieces(entries), "level": level}
            if next_step is not None:
                code, facts["step"] = "next_step_chosen", StepName(next_step)
            yield Line(code, facts, tuple(entries), None, recorded)

    def _automatic(self, event: dunning.AutomaticChosen) -> Iterator[Line]:
        codes = {True: "automatic_chosen", False: "automatic_refused", None: "automatic_as_policy"}
        for choice, code in codes.items():
            entries = tuple(one.entry_id for one in event.entries if one.automatic is choice)
            if entries:
                yield Line(code, {"pieces": self.pieces(entries)}, entries)


def _returned(event: notify.EmailBounced) -> str:
    """Of events that do not tell their kind, those that are not permanent were only late."""
    if event.kind == "complaint":
        return "email_was_unwanted"
    return "email_came_back" if event.permanent or event.kind is not None else "email_was_delayed"
