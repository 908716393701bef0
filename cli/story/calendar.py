"""A told story as a diary: day by day what was heard, said, held back and done, one line each.

It is made to be read from top to bottom and kept beside the story, so that whoever changes a rule sees every day
on which something else would have been sent.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from cli.story.format import Happening, ScenarioEdit
from cli.story.state import ClientRound, Telling
from services.dunning.domain.scenario import level_name
from services.dunning.domain.verdicts import Excluded, Verdict

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SILENT_WORDS = frozenset({"round", "expect", "carry_out", "confirm"})

Held = tuple[str, tuple[str, ...]]
"""The step an entry is kept from, and the reasons."""


class Calendar:
    """Writes the lines as the story is told; ``text()`` is the whole diary."""

    def __init__(self, telling: Telling) -> None:
        self.telling = telling
        self.lines: list[str] = []
        self.today: date | None = None
        self.held: dict[str, Held] = {}

    def text(self) -> str:
        return "\n".join(self.lines).lstrip("\n") + "\n"

    def happened(self, on: date, happening: Happening) -> None:
        """Write down one thing that has just happened."""
        word = happening.word()
        if word == "round":
            for client in self.telling.rounds[-1].clients:
                for line in self._decided(client):
                    self._write(on, line)
        elif word == "carry_out":
            for line in self._carried_out(on):
                self._write(on, line)
        elif word == "scenario":
            self._write(on, f"heard      scenario {_scenario(happening.scenario)}")
        elif word is not None and word not in SILENT_WORDS:
            self._write(on, f"heard      {word} {_plain(getattr(happening, word))}".rstrip())

    def _write(self, on: date, line: str) -> None:
        if self.today != on:
            self.today = on
            self.lines.extend(("", f"{on.isoformat()} {WEEKDAYS[on.weekday()]}"))
        self.lines.append(f"  {line}")

    def _decided(self, client: ClientRound) -> Iterator[str]:
        for withdrawal in client.decision.withdrawals:
            action = self.telling.actions[withdrawal.action_id]
            yield f"withdraws  {client.client_id} {action.step} ({withdrawal.reason})"
        yield from self._let_go(client)
        for action_id in client.open_after:
            if action_id not in client.open_before:
                yield f"says       {self._action(action_id)}"
        for move in client.decision.moves:
            name = self.telling.names[move.entry_id]
            before, after = level_name(move.level_before) or "-", level_name(move.level_after)
            yield f"moves      {client.client_id} {name} {before} to {after}, a credit alone"
        yield from self._held_back(client)

    def _action(self, action_id: UUID) -> str:
        action = self.telling.actions[action_id]
        entries = ", ".join(
            f"{self.telling.names[entry.entry_id]} {_money(entry.amount)}"
            + (f" [{entry.level_before}]" if entry.level_before else "")
            for entry in sorted(action.entries, key=lambda entry: self.telling.names[entry.entry_id])
        )
        by_itself = ", by itself" if action_id in self.telling.automatic else ""
        asked = f"{_money(action.net_amount)} {action.currency} since {action.due_since.isoformat()}"
        return f"{action.client_id} {action.step} by {action.medium}{by_itself}, {asked}: {entries}"

    def _verdicts(self, client: ClientRound) -> list[tuple[str, str, Verdict]]:
        """(entry's name, entry id, verdict), by name."""
        return sorted(
            ((self.telling.names[key], key, verdict) for key, verdict in client.decision.verdicts.items()),
            key=itemgetter(0),
        )

    def _let_go(self, client: ClientRound) -> Iterator[str]:
        for name, key, verdict in self._verdicts(client):
            if not isinstance(verdict, Excluded) and self.held.pop(key, None) is not None:
                yield f"lets go    {client.client_id} {name}"

    def _held_back(self, client: ClientRound) -> Iterator[str]:
        """What changed since the round before, as ``ActionExcluded`` and ``DunningExhausted`` say it."""
        for name, key, verdict in self._verdicts(client):
            if isinstance(verdict, Excluded) and self.held.get(key) != (verdict.step, verdict.reasons):
                self.held[key] = (verdict.step, verdict.reasons)
                yield f"holds back {client.client_id} {name} {verdict.step}: {', '.join(verdict.reasons)}"
            if key in client.ends:
                yield f"exhausted  {client.client_id} {name}"

    def _carried_out(self, on: date) -> Iterator[str]:
        """Only what had waited: the rest was said today and is done by the way."""
        for action_id in self.telling.done.get(on, ()):
            if self.telling.opened_on[action_id] != on:
                yield f"does       {self._action(action_id)}"


def _scenario(edit: ScenarioEdit | None) -> str:
    assert edit is not None
    steps = " ".join(line.step for line in edit.steps.with_email)
    return f"profile={edit.profile} steps={steps}"


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", " ")


def _plain(thing: Any) -> str:
    """The words of a thing as its author wrote them, less what was left out."""
    given = thing if isinstance(thing, dict) else thing.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return " ".join(f"{key}={_value(value)}" for key, value in given.items())


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "+".join(_value(one) for one in value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_value(one)}" for key, one in value.items()) + "}"
    return "none" if value is None else str(value)
