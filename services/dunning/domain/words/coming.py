"""Where an entry stands today, and what happens next if nothing changes."""

from services.dunning.domain.case import Case
from services.dunning.domain.verdicts import Due, NotDue
from services.dunning.domain.wording import Actor, Facts, StepName, Value
from services.dunning.domain.words.telling import Words

DUE = "due"
NOT_DUE = "not_due"
NEXT = "next_on"
NOW = "next_now"
WHEN_LIFTED = "next_when_lifted"
NEVER = "next_never"


def _due(case: Case) -> Facts | None:
    if not isinstance(case.verdict, Due):
        return None
    made, found = case.made, case.found
    own = found is not None and found.step.name == case.verdict.step
    facts: dict[str, Value | None] = {
        "step": StepName(case.verdict.step),
        "since": found.on if own and found is not None else None,
    }
    if made is not None and made.confirmed is not None:
        facts |= {"confirmed_on": made.confirmed.on, "by": Actor(made.confirmed.by)}
    elif case.action is not None and not case.action.confirmed:
        facts |= {"proposed_on": case.action.opened_on if made is None else made.opened.on}
    return facts


def _not_due(case: Case) -> Facts | None:
    if not isinstance(case.verdict, NotDue):
        return None
    return {"step": StepName(case.verdict.step), "until": case.verdict.until}


ALL = (
    Words(
        DUE,
        "4.12",
        (
            (
                "{step} is due since {since}; it was confirmed on {confirmed_on} and is being carried out.",
                "{step} est due depuis le {since} ; confirmée le {confirmed_on}, elle est en cours.",
            ),
            (
                "{step} is due; it was confirmed on {confirmed_on} and is being carried out.",
                "{step} est due ; confirmée le {confirmed_on}, elle est en cours.",
            ),
            (
                "{step} is due since {since}; it was proposed on {proposed_on} and waits for a person.",
                "{step} est à faire depuis le {since} ; proposée le {proposed_on}, elle attend une confirmation.",
            ),
            (
                "{step} is due; it was proposed on {proposed_on} and waits for a person.",
                "{step} est à faire ; proposée le {proposed_on}, elle attend une confirmation.",
            ),
            (
                "{step} is due since {since}.",
                "{step} est à faire depuis le {since}.",
            ),
            ("{step} is due and stands in an action.", "L'étape {step} est à faire et figure dans une action."),
        ),
        _due,
    ),
    Words(NOT_DUE, "4.12", (("{step} comes on {until}.", "L'étape {step} viendra le {until}."),), _not_due),
    Words(
        NEXT,
        "4.12",
        (
            (
                "If nothing changes, {step} is due on {on}.",
                "Si rien ne change, {step} sera à faire le {on}.",
            ),
        ),
    ),
    Words(NOW, "4.12", (("{step} is to be done now.", "{step} est à faire maintenant."),)),
    Words(
        WHEN_LIFTED,
        "8.17",
        (
            (
                "If nothing changes, no reminder comes; {step} is due at once when the reasons end.",
                "Si rien ne change, aucune relance ne viendra ; {step} sera à faire dès que la raison cesse.",
            ),
        ),
    ),
    Words(
        NEVER,
        "4.10",
        (
            (
                "If nothing changes, no reminder comes.",
                "Si rien ne change, aucune relance ne viendra.",
            ),
        ),
    ),
)
