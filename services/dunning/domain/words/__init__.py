"""Everything dunning can say about a decision, each thing in one place: its code, the number of its rule, the
facts behind it, its sentences in French and English.

``reasons`` and ``policy`` hold what keeps an entry back and what ends an action, ``rules`` and ``passed`` what
else was applied, ``steps`` how the day of a step was found, ``coming`` what happens next, ``past`` what happened.
A code that the engine can give and that stands in none of them fails a test.
"""

from collections.abc import Mapping

from services.dunning.domain.words import coming, passed, past, policy, reasons, rules, steps
from services.dunning.domain.words.telling import Explanation, Words, tell

REASONS: Mapping[str, Words] = {one.code: one for one in (*reasons.ALL, *policy.ALL)}
RULES: Mapping[str, Words] = {one.code: one for one in (*rules.ALL, *passed.ALL)}
STEPS: Mapping[str, Words] = {one.code: one for one in steps.ALL}
COMING: Mapping[str, Words] = {one.code: one for one in coming.ALL}
PAST: Mapping[str, Words] = {one.code: one for one in past.ALL}
EVERYTHING: tuple[Words, ...] = (
    *reasons.ALL,
    *policy.ALL,
    *rules.ALL,
    *passed.ALL,
    *steps.ALL,
    *coming.ALL,
    *past.ALL,
)

__all__ = ["COMING", "EVERYTHING", "PAST", "REASONS", "RULES", "STEPS", "Explanation", "Words", "tell"]
