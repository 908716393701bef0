"""Why an entry is reminded or not, on any day; the account as it was known; where each entry stands."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from chassis.http import AsOfDep, CompanyDep, RunningDep, TxDep
from chassis.past import PastUnreadable
from chassis.problems import Problem
from chassis.scopes import for_keys
from services.dunning import explaining, past, queries
from services.dunning.actions import plain
from services.dunning.domain.amounts import decimal
from services.dunning.domain.chronicle import Happened, chronicle
from services.dunning.domain.explain import ExplainedEntry, Explanation, explain_client
from services.dunning.domain.memory import PromiseMade, remember
from services.dunning.domain.scenario import level_name
from services.dunning.domain.state import EntryState
from services.dunning.domain.statement import StatementLine, statement
from services.dunning.explaining import Asked, Told

router = APIRouter()

ClientId = Annotated[str | None, Query(max_length=64)]
EntryId = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")]
Language = Annotated[str, Query(max_length=8)]
MOST_LINES = 500
"""The latest lines of a history that one answer holds."""


@router.get("/explain")
@for_keys("read:actions")
async def why(  # noqa: PLR0913, PLR0917 what a question may say
    company: CompanyDep,
    tx: TxDep,
    process: RunningDep,
    today: AsOfDep,
    client_id: ClientId = None,
    entry_id: EntryId = None,
    as_of: Annotated[date | None, Query()] = None,
    history: Annotated[bool, Query()] = False,
    language: Language = "fr",
) -> dict[str, Any]:
    """Every open entry of a client, or one entry: where it stands and why, the rules applied with their facts, and
    what comes if nothing changes.

    ``as_of`` may be a past day: then what was known at its end is told, from the facts themselves; or a later one:
    then what would be decided on it as things stand. ``history=true`` adds what happened until then. ``status`` is
    ``due``, ``not_due``, ``excluded`` or ``no_step``. Answers 503 ``past-unreadable`` when the streams are needed
    and do not answer.
    """
    if client_id is None and entry_id is not None:
        client_id = await explaining.client_of(tx, company, entry_id)
        if client_id is None:
            raise Problem("entry-unknown", "There is no such entry", 404, entry_id=entry_id)
    if client_id is None:
        raise Problem("nobody-named", "Name a client_id or an entry_id", 422)
    asked = Asked(company, client_id, as_of or today, today)
    try:
        told = await explaining.told(process, tx, asked)
    except past.NothingKnownYet:
        return _nothing_known(asked)
    except PastUnreadable as unreadable:
        raise Problem("past-unreadable", "The past cannot be read now", 503, str(unreadable)) from unreadable
    return _answer(told, entry_id, language, history=history)


@router.get("/statement")
async def account(  # noqa: PLR0913, PLR0917 what a question may say
    company: CompanyDep,
    tx: TxDep,
    process: RunningDep,
    today: AsOfDep,
    client_id: Annotated[str, Query(min_length=1, max_length=64)],
    as_of: Annotated[date | None, Query()] = None,
) -> dict[str, Any]:
    """The client's statement of account as it was known at the end of a day: lines that accounting had given by
    then and not taken back, lettered as they were, with the level, stop, dispute and promises of each.

    The date that counts is the business date on which a fact was told, not the date that stands in it: a payment
    of the 2nd that accounting gave on the 9th is there from the 9th on. Answers 503 ``past-unreadable``.
    """
    on = as_of or today
    try:
        known = await past.past_of(process, tx, company, client_id)
    except PastUnreadable as unreadable:
        raise Problem("past-unreadable", "The past cannot be read now", 503, str(unreadable)) from unreadable
    facts = known.until(on)
    memory = remember(facts)
    book = past.fold(company, client_id, facts)
    found = statement(book, memory, on)
    highest = max((stage.level for key, stage in book.stages.items() if _is_open(found.lines, key)), default=0)
    return {
        "client_id": client_id,
        "on": on,
        "known": bool(facts),
        "level": level_name(highest),
        "stopped_on": memory.stop and memory.stop.on,
        "stopped_by": memory.stop and memory.stop.by,
        "resumes_on": book.resumes_on,
        "profile": book.assigned_profile or book.profile,
        "has_email": book.has_email,
        "debit": str(plain(found.debit)),
        "credit": str(plain(found.credit)),
        "balance": str(plain(found.balance)),
        "entries": [_statement_line(line) for line in found.lines],
    }


@router.get("/levels")
@for_keys("read:actions")
async def levels(
    company: CompanyDep, tx: TxDep, client_id: Annotated[str, Query(max_length=64)]
) -> dict[str, Any]:
    """The level of each open entry of a client, and the client's: the highest (rules 5.1, 5.2)."""
    rows = await queries.verdicts_of_client(tx, company, client_id)
    highest = max((row["level"] for row in rows), default=0)
    return {
        "client_id": client_id,
        "level": level_name(highest),
        "entries": [
            {
                "entry_id": row["entry_id"],
                "level": level_name(row["level"]),
                "forced_step": row["forced_step"],
                "reminded_on": row["reminded_on"],
                "noticed_on": row["noticed_on"],
                "status": row["status"],
                "next_step": row["step"],
                "next_on": row["next_on"],
                "reasons": row["reasons"] or [],
                "action_id": row["action_id"],
                "automatic": row["automatic"],
            }
            for row in rows
        ],
    }


def _nothing_known(asked: Asked) -> dict[str, Any]:
    return {
        "as_of": asked.as_of,
        "today": asked.today,
        "view": asked.view,
        "known": False,
        "round_on": None,
        "client": None,
        "entries": [],
        "history": [],
    }


def _answer(told: Told, entry_id: str | None, language: str, *, history: bool) -> dict[str, Any]:
    seen, asked = told.seen, told.asked
    explained = explain_client(seen, language)
    wanted = [entry for entry in seen.client.entries if entry_id in (None, entry.entry_id)]
    highest = max((entry.level for entry in seen.client.entries), default=0)
    scenario = seen.scenario
    answer = {
        "as_of": asked.as_of,
        "today": asked.today,
        "view": asked.view,
        "known": True,
        "round_on": told.round_on,
        "client": {
            "client_id": asked.client_id,
            "profile": seen.profile,
            "has_email": seen.client.has_email,
            "scenario_version": None if scenario is None else scenario.version,
            "policy_version": told.policy_version,
            "mode": seen.policy.mode,
            "level": level_name(highest),
            "stopped": seen.client.stopped,
            "resumes_on": seen.client.resumes_on,
            "stopped_on": seen.memory.stop and seen.memory.stop.on,
            "stopped_by": seen.memory.stop and seen.memory.stop.by,
        },
        "entries": [_entry(told, entry, explained[entry.entry_id]) for entry in wanted],
    }
    if history:
        answer["history"] = None if told.past is None else _history(told, entry_id, language)
    return answer


def _entry(told: Told, entry: EntryState, one: ExplainedEntry) -> dict[str, Any]:
    piece, kind = told.pieces.get(entry.entry_id, ("", ""))
    verdict = told.seen.openly.decision.verdicts[entry.entry_id]
    open_actions = {action.action_id for action in told.seen.client.open_actions}
    action_id = getattr(verdict, "action_id", None)
    return {
        "client_id": told.asked.client_id,
        "entry_id": entry.entry_id,
        "piece": piece,
        "kind": kind,
        "currency": entry.currency,
        "amount": str(decimal(entry.amount)),
        "due_date": entry.due_date,
        "level": level_name(entry.level),
        "reminded_on": entry.reminded_on,
        "status": one.status,
        "step": one.step,
        "next_on": one.until,
        "reasons": [_said(part) for part in one.reasons],
        "rules": [_said(part) for part in one.rules],
        "next": {
            "on": None if one.coming is None else one.coming.on,
            "step": None if one.coming is None else one.coming.step,
            **_said(one.next),
        },
        "action_id": action_id if action_id in open_actions else None,
    }


def _said(part: Explanation) -> dict[str, Any]:
    return part._asdict()


def _history(told: Told, entry_id: str | None, language: str) -> list[dict[str, Any]]:
    """The latest first."""
    assert told.past is not None
    facts = [one for one in told.past.in_order() if one.on <= told.asked.as_of]
    lines = chronicle(told.asked.client_id, facts, told.seen.home, language)
    if entry_id is not None:
        lines = [line for line in lines if not line.entries or entry_id in line.entries]
    return [_happened(line) for line in reversed(lines[-MOST_LINES:])]


def _happened(line: Happened) -> dict[str, Any]:
    return {
        "on": line.on,
        "at": line.at,
        "by": line.by,
        **_said(line.told),
        "entries": list(line.entries),
        "action_id": line.action_id,
        "position": line.position,
        "recorded": dict(line.recorded),
    }


def _is_open(lines: tuple[StatementLine, ...], entry_id: str) -> bool:
    return any(one.open and one.line.entry_id == entry_id for one in lines)


def _statement_line(one: StatementLine) -> dict[str, Any]:
    line = one.line
    return {
        "entry_id": line.entry_id,
        "account": line.account,
        "kind": line.kind,
        "journal": line.journal,
        "piece": line.piece,
        "entry_date": line.entry_date,
        "invoice_date": line.invoice_date,
        "due_date": line.due_date,
        "days_late": one.late,
        "badge": one.badge,
        "debit": str(plain(line.debit)),
        "credit": str(plain(line.credit)),
        "currency": line.currency,
        "book_amount": str(plain(line.book_amount)),
        "payment_mode": line.payment_mode,
        "lettering": line.lettering,
        "lettered_on": line.lettered_on,
        "open": one.open,
        "lettering_error": None if one.error is None else str(plain(one.error)),
        "level": one.level,
        "stopped_on": one.stop and one.stop.on,
        "stopped_by": one.stop and one.stop.by,
        "resumes_on": one.resumes_on,
        "expected_on": one.expected_on,
        "dispute_id": one.dispute and one.dispute[0],
        "dispute_reason": one.dispute and one.dispute[1],
        "promises": [_promise(promise) for promise in one.promises],
        "notes": one.notes,
        "excluded": list(one.excluded),
        "pending_action_id": one.action_id,
    }


def _promise(promise: PromiseMade) -> dict[str, Any]:
    return {
        "promise_id": promise.promise_id,
        "amount": str(plain(promise.amount)),
        "currency": promise.currency,
        "promised_on": promise.promised_on,
        "recorded_on": promise.since.on,
        "recorded_by": promise.since.by,
    }
