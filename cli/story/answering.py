"""What a told story answers: the rounds, for machines and for people, and what its expectations missed."""

from datetime import date
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from cli.story.format import Expected, ExpectedAction
from cli.story.state import ClientRound, Round, Telling, entry_id
from contracts.dunning import Action
from services.dunning.domain.explain import explain
from services.dunning.domain.scenario import level_name
from services.dunning.domain.verdicts import Due, Excluded, NoStep, NotDue, Verdict


def rounds(telling: Telling) -> list[dict[str, Any]]:
    """JSON-ready; amounts are decimal strings, dates ISO."""
    return [_round(telling, one) for one in telling.rounds]


def _round(telling: Telling, one: Round) -> dict[str, Any]:
    return {
        "date": one.on.isoformat(),
        "actions": [
            _action(telling, one.on, telling.actions[action_id], new=action_id not in client.open_before)
            for client in one.clients
            for action_id in client.open_after
        ],
        "others": [other for client in one.clients for other in _others(telling, client)],
        "silent_moves": [
            {
                "client": client.client_id,
                "entry": telling.names[move.entry_id],
                "level_before": level_name(move.level_before),
                "level_after": level_name(move.level_after),
            }
            for client in one.clients
            for move in client.decision.moves
        ],
        "withdrawn": [
            {
                "client": client.client_id,
                "step": telling.actions[withdrawal.action_id].step,
                "reason": withdrawal.reason,
            }
            for client in one.clients
            for withdrawal in client.decision.withdrawals
        ],
    }


def _action(telling: Telling, on: date, action: Action, new: bool) -> dict[str, Any]:
    return {
        "date": on.isoformat(),
        "client": action.client_id,
        "step": action.step,
        "medium": action.medium,
        "currency": action.currency,
        "amount": format(action.amount, "f"),
        "net_amount": format(action.net_amount, "f"),
        "due_since": action.due_since.isoformat(),
        "new": new,
        "opened_on": telling.opened_on[action.action_id].isoformat(),
        "automatic": action.action_id in telling.automatic,
        "entries": [
            {
                "entry": telling.names[entry.entry_id],
                "amount": format(entry.amount, "f"),
                "level_before": entry.level_before,
                "level_after": entry.level_after,
            }
            for entry in action.entries
        ],
    }


def _others(telling: Telling, client: ClientRound) -> list[dict[str, Any]]:
    others = []
    for key, verdict in client.decision.verdicts.items():
        if not isinstance(verdict, Due):
            answer: dict[str, Any] = {"client": client.client_id, "entry": telling.names[key]}
            others.append(answer | _answer(verdict))
    return others


def _answer(verdict: Verdict) -> dict[str, Any]:
    said = [{"rule": one.rule, "text": one.text} for one in explain(verdict)]
    match verdict:
        case NotDue():
            answer: dict[str, Any] = {"step": verdict.step, "next_on": verdict.until.isoformat()}
        case Excluded():
            answer = {"step": verdict.step, "reasons": list(verdict.reasons)}
            if verdict.until is not None:
                answer["until"] = verdict.until.isoformat()
        case NoStep():
            answer = {"step": None, "reasons": [verdict.reason]}
        case Due():
            answer = {"step": verdict.step}
    return {**answer, "explanation": said}


def misses(telling: Telling, expected: Expected) -> list[str]:
    """What the last round gave otherwise, one sentence each."""
    found = []
    if expected.acted is not None:
        done = [_acted(telling, action_id) for action_id in telling.acted]
        found += _missing_actions("acted", expected.acted, done)
    if not telling.rounds:
        of_rounds = expected.model_fields_set - {"acted", "levels"}
        return [*found, *_levels(telling, expected), *(["no round was made before this"] if of_rounds else [])]
    last = telling.rounds[-1]
    given = _round(telling, last)
    for word, like, new in (("actions", expected.actions, True), ("kept", expected.kept, False)):
        if like is not None:
            actions = [one for one in given["actions"] if one["new"] is new]
            found.extend(_missing_actions(word, like, actions))
    if expected.withdrawn is not None:
        reasons = sorted(one["reason"] for one in given["withdrawn"])
        if reasons != sorted(expected.withdrawn):
            found.append(f"withdrawn: expected {sorted(expected.withdrawn)}, got {reasons}")
    if expected.exhausted is not None:
        ended = sorted(telling.names[end] for client in last.clients for end in client.ends)
        if ended != sorted(expected.exhausted):
            found.append(f"exhausted: expected {sorted(expected.exhausted)}, got {ended}")
    verdicts = {key: one for client in last.clients for key, one in client.decision.verdicts.items()}
    wanted_verdicts: dict[str, Any] = {
        **{name: ("next", on) for name, on in expected.next.items()},
        **{name: ("excluded", tuple(sorted(reasons))) for name, reasons in expected.excluded.items()},
        **{name: ("ended", reason) for name, reason in expected.ended.items()},
    }
    for name, wanted in wanted_verdicts.items():
        got = _short(verdicts.get(entry_id(name)))
        if got != wanted:
            found.append(f"{name}: expected {_words(wanted)}, got {_words(got)}")
    return found + _levels(telling, expected)


def _acted(telling: Telling, action_id: UUID) -> dict[str, Any]:
    return _action(telling, telling.opened_on[action_id], telling.actions[action_id], new=True)


def _levels(telling: Telling, expected: Expected) -> list[str]:
    found = []
    for name, level in expected.levels.items():
        reached = telling.level(name) if name in telling.owners else "no such entry"
        if reached != level:
            found.append(f"levels.{name}: expected {level or 'none'}, got {reached or 'none'}")
    return found


def _short(verdict: Verdict | None) -> tuple[str, Any]:
    match verdict:
        case NotDue():
            return "next", verdict.until
        case Excluded():
            return "excluded", verdict.reasons
        case NoStep():
            return "ended", verdict.reason
        case Due():
            return "due", verdict.step
        case None:
            return "settled", ""


def _words(short: tuple[str, Any]) -> str:
    kind, what = short
    return f"{kind} {', '.join(what) if isinstance(what, tuple) else what}".strip()


def _missing_actions(word: str, wanted: tuple[ExpectedAction, ...], got: list[dict[str, Any]]) -> list[str]:
    left = list(got)
    missing = []
    for one in wanted:
        match = next((action for action in left if _is_like(one, action)), None)
        if match is None:
            missing.append(f"{word}: expected {one.model_dump(exclude_none=True, mode='json')}, not found")
        else:
            left.remove(match)
    missing.extend(
        f"{word}: not expected: {action['client']} {action['step']} {action['net_amount']} {action['currency']}"
        for action in left
    )
    return missing


def _is_like(wanted: ExpectedAction, action: dict[str, Any]) -> bool:
    names = sorted(entry["entry"] for entry in action["entries"])
    if wanted.entries is not None and sorted(wanted.entries) != names:
        return False
    for key in ("client", "step", "medium", "currency", "automatic"):
        value = getattr(wanted, key)
        if value is not None and value != action[key]:
            return False
    for key in ("amount", "net_amount"):
        value = getattr(wanted, key)
        if value is not None and value != type(value)(action[key]):
            return False
    return True


def show(telling: Telling, console: Console) -> None:
    """The rounds as tables that people can read."""
    for given in rounds(telling):
        table = Table(title=f"Round of {given['date']}", title_justify="left")
        for head, side in (("Client", "left"), ("Entry", "left"), ("Step", "left"), ("Amount", "right")):
            table.add_column(head, justify="right" if side == "right" else "left")
        table.add_column("Level")
        table.add_column("What")
        for action in given["actions"]:
            what = f"{action['medium']}, {action['net_amount']} {action['currency']}"
            what += "" if action["new"] else f", open since {action['opened_on']}"
            for entry in action["entries"]:
                level = f"{entry['level_before'] or '-'} → {entry['level_after'] or '-'}"
                table.add_row(action["client"], entry["entry"], action["step"], entry["amount"], level, what)
        for other in given["others"]:
            what = " ".join(f"{one['text']} ({one['rule']})" for one in other["explanation"])
            table.add_row(other["client"], other["entry"], other["step"] or "-", "", "", what)
        for move in given["silent_moves"]:
            level = f"{move['level_before'] or '-'} → {move['level_after']}"
            table.add_row(move["client"], move["entry"], "-", "", level, "A credit alone goes on (22.14).")
        console.print(table)
        for gone in given["withdrawn"]:
            console.print(f"  withdrawn: {gone['client']} {gone['step']} ({gone['reason']})")
