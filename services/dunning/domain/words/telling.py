"""How a thing is told: the fullest of its sentences whose facts are all known."""

from collections.abc import Callable
from string import Formatter
from typing import Any, NamedTuple

from services.dunning.domain.case import Case
from services.dunning.domain.wording import Facts, for_machines, written

Sentence = tuple[str, str]
"""English and French, with the same facts in braces."""


class Explanation(NamedTuple):
    """``code`` for machines, ``rule`` a number of docs/rules.md, ``text`` for people, ``facts`` behind it."""

    code: str
    rule: str
    text: str
    facts: dict[str, Any]


def nothing(case: Case) -> Facts | None:
    return {}


class Words(NamedTuple):
    """One thing that can be said. The fullest sentence comes first; the last one stands without any facts when it
    may be told outside a decision, as reasons are in lists.

    ``facts`` takes them out of a case; ``None`` means that there is nothing to tell here. A fact that is not known
    is ``None`` or left out.
    """

    code: str
    rule: str
    sentences: tuple[Sentence, ...]
    facts: Callable[[Case], Facts | None] = nothing


def tell(words: Words, facts: Facts, language: str) -> Explanation:
    known = {name: value for name, value in facts.items() if value is not None}
    chosen = next((one for one in words.sentences if fields(one[0]) <= known.keys()), words.sentences[-1])
    told = {name: written(value, language) for name, value in known.items()}
    text = chosen[1 if language == "fr" else 0].format_map(_Unknown(told))
    return Explanation(
        words.code,
        words.rule,
        text[:1].upper() + text[1:],
        {name: for_machines(value) for name, value in known.items()},
    )


class _Unknown(dict[str, str]):
    """A fact that no sentence should have needed; a dash is better than no answer."""

    def __missing__(self, name: str) -> str:
        return "–"


def fields(sentence: str) -> set[str]:
    """The names of the facts that a sentence holds."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}
