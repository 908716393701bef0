"""Every verdict in words: briefly for lists, and in full with the rules applied, their facts and what comes next.

The full explanation is told from the very decision (``case.see``), so it cannot say anything else.
"""

from datetime import date
from typing import NamedTuple, assert_never

from services.dunning.domain.case import Case, Seen, cases
from services.dunning.domain.exclusions import CONTACTED_RECENTLY
from services.dunning.domain.forward import Coming, coming
from services.dunning.domain.verdicts import Due, Excluded, NoStep, NotDue, Verdict
from services.dunning.domain.wording import Facts, StepName
from services.dunning.domain.words import COMING, REASONS, RULES, STEPS, Explanation, Words, tell
from services.dunning.domain.words.coming import DUE, NEVER, NEXT, NOT_DUE, NOW, WHEN_LIFTED
from services.dunning.domain.words.rules import own_step
from services.dunning.domain.words.steps import told as told_steps

__all__ = ["ExplainedEntry", "Explanation", "explain", "explain_client", "explain_reason"]


class ExplainedEntry(NamedTuple):
    """``reasons`` say where it stands (due, not due until, every reason against it, no step); ``rules`` what was
    applied, in the order in which it was; ``next`` what happens if nothing changes, first on ``next_on``.
    """

    entry_id: str
    status: str
    step: str | None
    until: date | None
    reasons: tuple[Explanation, ...]
    rules: tuple[Explanation, ...]
    coming: Coming | None
    next: Explanation


def explain(verdict: Verdict, language: str = "en") -> tuple[Explanation, ...]:
    """Briefly, of the verdict alone: one explanation per reason. Unknown languages read English."""
    match verdict:
        case Due():
            return (tell(COMING[DUE], {"step": StepName(verdict.step)}, language),)
        case NotDue():
            return (tell(COMING[NOT_DUE], {"step": StepName(verdict.step), "until": verdict.until}, language),)
        case Excluded():
            return tuple(explain_reason(reason, language, until=verdict.until) for reason in verdict.reasons)
        case NoStep():
            return (explain_reason(verdict.reason, language),)
        case _:
            assert_never(verdict)


def explain_reason(
    reason: str, language: str = "en", facts: Facts | None = None, until: date | None = None
) -> Explanation:
    """A reason by its code, with its facts where they are known. ``until`` is that of a verdict: the day on which
    its client may be contacted again.
    """
    if facts is None and reason == CONTACTED_RECENTLY:
        facts = {"until": until}
    return tell(REASONS.get(reason) or _without_words(reason), facts or {}, language)


def _without_words(reason: str) -> Words:
    """A code that another version of the engine said; its underscores are spaces to a reader."""
    plain = reason.replace("_", " ").capitalize() + "."
    return Words(reason, "8.17", ((plain, plain),))


def explain_client(seen: Seen, language: str = "en") -> dict[str, ExplainedEntry]:
    """In full, every open entry of a client, in the order of its entries."""
    ahead = coming(seen.client, seen.policy, seen.scenario, seen.as_of)
    return {entry_id: _explained(case, ahead.get(entry_id), language) for entry_id, case in cases(seen).items()}


def _explained(case: Case, ahead: Coming | None, language: str) -> ExplainedEntry:
    verdict = case.verdict
    status, step, until = _short(verdict)
    return ExplainedEntry(
        entry_id=case.entry.entry_id,
        status=status,
        step=step,
        until=until,
        reasons=tuple(_reasons(case, language)),
        rules=tuple(_rules(case, language)),
        coming=ahead,
        next=_next(case, ahead, language),
    )


def _short(verdict: Verdict) -> tuple[str, str | None, date | None]:
    match verdict:
        case Due():
            return "due", verdict.step, None
        case NotDue():
            return "not_due", verdict.step, verdict.until
        case Excluded():
            return "excluded", verdict.step, None
        case NoStep():
            return "no_step", None, None


def _reasons(case: Case, language: str) -> list[Explanation]:
    match case.verdict:
        case Due():
            codes: tuple[str, ...] = (DUE,)
        case NotDue():
            codes = (NOT_DUE,)
        case Excluded(_, reasons):
            codes = reasons
        case NoStep(reason):
            codes = (reason,)
    told = []
    for code in codes:
        words = COMING.get(code) or REASONS[code]  # of the engine each has words
        told.append(tell(words, words.facts(case) or {}, language))
    return told


def _rules(case: Case, language: str) -> list[Explanation]:
    told = []
    if own_step(case):
        assert case.found is not None
        told = [tell(STEPS[code], facts, language) for code, facts in told_steps(case.found, case.trail)]
    for words in RULES.values():
        facts = words.facts(case)
        if facts is not None:
            told.append(tell(words, facts, language))
    return told


def _next(case: Case, ahead: Coming | None, language: str) -> Explanation:
    if ahead is not None:
        code = NOW if ahead.on <= case.seen.as_of else NEXT
        return tell(COMING[code], {"step": StepName(ahead.step), "on": ahead.on}, language)
    if isinstance(case.verdict, Excluded):
        return tell(COMING[WHEN_LIFTED], {"step": StepName(case.verdict.step)}, language)
    return tell(COMING[NEVER], {}, language)
