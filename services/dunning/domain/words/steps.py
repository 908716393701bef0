"""How the day of a step was found: one sentence per stage of its trail, in order."""

from collections.abc import Iterator

from services.dunning.domain import triggers
from services.dunning.domain.scenario import NOTICE
from services.dunning.domain.triggers import Pending, Stage
from services.dunning.domain.wording import Days, Facts, StepName
from services.dunning.domain.words.telling import Words

BEFORE_DUE_DATE = "before_due_date"
FROM_REOPENING = "counted_from_reopening"

ALL = (
    Words(
        BEFORE_DUE_DATE,
        "4.6",
        (
            (
                "{step} comes {delay} before the due date, {reference}: {on}.",
                "{step} : {delay} avant l'échéance du {reference}, soit le {on}.",
            ),
        ),
    ),
    Words(
        triggers.DUE_DATE,
        "4.7",
        (
            (
                "{step} comes {delay} after the due date, {reference}: {on}.",
                "{step} : {delay} après l'échéance du {reference}, soit le {on}.",
            ),
        ),
    ),
    Words(
        triggers.INVOICE_DATE,
        "4.7",
        (
            (
                "{step} comes {delay} after the invoice date, {reference}: {on}.",
                "{step} : {delay} après la date de facture du {reference}, soit le {on}.",
            ),
        ),
    ),
    Words(
        triggers.PREVIOUS_STEP,
        "4.7",
        (
            (
                "{step} comes {delay} after the step before it, {reference}: {on}.",
                "{step} : {delay} après l'étape précédente du {reference}, soit le {on}.",
            ),
        ),
    ),
    Words(
        triggers.FROM_END_OF_MONTH,
        "4.7",
        (
            (
                "{step} comes {delay} after the end of the month, {reference}: {on}.",
                "{step} : {delay} après la fin du mois, le {reference}, soit le {on}.",
            ),
        ),
    ),
    Words(
        triggers.CLOSED_DAY,
        "4.16",
        (
            (
                "Nothing is sent on that day; the next open one is {on}.",
                "Rien ne part ce jour-là ; le premier jour ouvert est le {on}.",
            ),
        ),
    ),
    Words(
        FROM_REOPENING,
        "22.8",
        (
            (
                "The entry was opened again on {reference}; {step} comes {delay} after that: {on}.",
                "L'écriture a été délettrée le {reference} ; {step} : {delay} après, soit le {on}.",
            ),
        ),
    ),
    Words(
        triggers.REOPENED,
        "22.8",
        (
            (
                "The entry was opened again on {on}: {step} comes on that day at the earliest.",
                "L'écriture a été délettrée le {on} : {step} ne vient pas avant.",
            ),
        ),
    ),
    Words(
        triggers.END_OF_MONTH,
        "4.7",
        (("The step is pushed to the end of the month: {on}.", "L'étape est reportée à la fin du mois : {on}."),),
    ),
    Words(
        triggers.NOT_OVERDUE,
        "5.9",
        (
            (
                "The due date was moved: not before the entry is overdue, {on}.",
                "L'échéance a été déplacée : pas avant que l'écriture soit en retard, le {on}.",
            ),
        ),
    ),
    Words(
        triggers.ONE_STEP_A_DAY,
        "22.11",
        (
            (
                "Never two steps of one entry on the same day: {on} at the earliest.",
                "Jamais deux étapes d'une écriture le même jour : pas avant le {on}.",
            ),
        ),
    ),
    Words(
        triggers.STEP_IGNORED,
        "4.9",
        (
            (
                "{ignored} may be ignored and fell due on {on}; the next step takes its place.",
                "{ignored} peut être ignorée, elle était due le {on} ; l'étape suivante prend sa place.",
            ),
        ),
    ),
)


def told(found: Pending, trail: tuple[Stage, ...]) -> Iterator[tuple[str, Facts]]:
    """Codes and facts in the order in which the day was found; a reference and its delay are one sentence."""
    step = StepName(found.step.name)
    reference: Stage | None = None
    for number, stage in enumerate(trail):
        following = trail[number + 1].code if number + 1 < len(trail) else None
        if following == triggers.FROM_END_OF_MONTH:
            continue  # told by the end of its month
        if following == triggers.DELAY:
            reference = stage
        elif stage.code == triggers.DELAY:
            assert reference is not None
            code = reference.code
            if found.step.name == NOTICE:
                code = BEFORE_DUE_DATE
            elif code == triggers.REOPENED:
                code = FROM_REOPENING
            yield code, {"step": step, "reference": reference.on, "delay": Days(abs(stage.days)), "on": stage.on}
        else:
            ignored = None if stage.step is None else StepName(stage.step)
            yield stage.code, {"step": step, "ignored": ignored, "on": stage.on}
