"""What dunning explains, asked for and shown to a person."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.road import Json, Road, RoadBlocked

ENTRY_ID = re.compile(r"[0-9a-f]{32}")
WORDS = {
    "en": {
        "past": "As known on {as_of} (today is {today})",
        "now": "On {as_of}",
        "ahead": "On {as_of}, if nothing changes",
        "unknown": "Nothing was known of this company on {as_of}.",
        "nothing": "No open entry.",
        "next": "Next",
        "rules": "Rules",
        "history": "History",
        "no_history": "The history cannot be read now.",
        "due": "to remind",
        "not_due": "waits",
        "excluded": "excluded",
        "no_step": "no step",
        "heads": ("Day", "What", "By", "Rule"),
    },
    "fr": {
        "past": "Tel que connu le {as_of} (nous sommes le {today})",
        "now": "Le {as_of}",
        "ahead": "Le {as_of}, si rien ne change",
        "unknown": "Rien n’était connu de cette société le {as_of}.",
        "nothing": "Aucune pièce non lettrée.",
        "next": "Suite",
        "rules": "Règles",
        "history": "Historique",
        "no_history": "L’historique ne peut pas être lu en ce moment.",
        "due": "à relancer",
        "not_due": "en attente",
        "excluded": "exclue",
        "no_step": "sans suite",
        "heads": ("Jour", "Quoi", "Par", "Règle"),
    },
}
Language = Literal["fr", "en"]


def ask(  # noqa: PLR0913 - what a person may say
    road: Road, client: str | None, entry: str | None, as_of: date | None, language: Language, *, history: bool
) -> Json:
    """Dunning's explanation of a client, or of one entry by its id or, within a client, by its piece number.

    Raises ``RoadBlocked``.
    """
    named = entry if entry is not None and ENTRY_ID.fullmatch(entry) else None
    if entry is not None and named is None and client is None:
        raise RoadBlocked(f"{entry} is no id of an entry: give the --client whose piece it is")
    answer = road.explain(client_id=client, entry_id=named, as_of=as_of, language=language, history=history)
    if entry is not None and named is None:
        answer["entries"] = [one for one in answer["entries"] if one["piece"] == entry]
        ids = {one["entry_id"] for one in answer["entries"]}
        if not ids:
            raise RoadBlocked(f"{client} has no open entry with the piece number {entry} on {answer['as_of']}")
        lines = answer.get("history") or []
        answer["history"] = [line for line in lines if not line["entries"] or ids & set(line["entries"])]
    return answer


def show(answer: Json, language: Language, console: Console | None = None) -> None:
    """Entry by entry, then the history, oldest first."""
    console = console or Console()
    words: dict[str, Any] = WORDS[language]
    days = {"as_of": answer["as_of"], "today": answer["today"]}
    console.print(words[answer["view"]].format(**days), style="bold")
    if not answer["known"]:
        console.print(words["unknown"].format(**days))
        return
    if not answer["entries"]:
        console.print(words["nothing"])
    for entry in answer["entries"]:
        console.print()
        head = f"{entry['piece'] or entry['entry_id']}  {entry['amount']} {entry['currency']}  {entry['due_date']}"
        console.print(f"{head}  [{words[entry['status']]}]", style="bold", markup=False)
        for part in entry["reasons"]:
            console.print(f"  {part['text']}  ({part['rule']})", markup=False)
        for part in entry["rules"]:
            console.print(f"  · {part['text']}  ({part['rule']})", style="dim", markup=False)
        console.print(f"  → {entry['next']['text']}  ({entry['next']['rule']})", markup=False)
    if "history" in answer:
        console.print()
        _show_history(answer["history"], words, console)


def _show_history(history: list[Json] | None, words: dict[str, Any], console: Console) -> None:
    if history is None:
        console.print(words["no_history"])
        return
    table = Table(title=words["history"], title_justify="left")
    for head in words["heads"]:
        table.add_column(head)
    for line in reversed(history):
        table.add_row(*(Text(line[name]) for name in ("on", "text", "by", "rule")))
    console.print(table)
