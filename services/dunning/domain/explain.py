"""Every verdict in words, with the number of the rule behind it.

The English sentence is the message id; ``FRENCH`` is its catalogue, in the form gettext wants.
"""

from collections.abc import Callable
from typing import NamedTuple, assert_never

from services.dunning.domain import decision, exclusions, standing
from services.dunning.domain.verdicts import Due, Excluded, NoStep, NotDue, Verdict

Translate = Callable[[str], str]


class Sentence(NamedTuple):
    rule: str
    text: str


class Explanation(NamedTuple):
    """``code`` for machines, ``rule`` a number of docs/rules.md, ``text`` for people."""

    code: str
    rule: str
    text: str


DUE = Sentence("4.12", "{step} is due and stands in an action.")
NOT_DUE = Sentence("4.12", "{step} comes on {until}.")
SENTENCES: dict[str, Sentence] = {
    exclusions.CLIENT_STOPPED: Sentence("8.1", "The client is not to be reminded."),
    exclusions.ENTRY_STOPPED: Sentence("8.2", "This entry is not to be reminded."),
    exclusions.AUTOMATIC_PAYMENT_MODE: Sentence("8.3", "Its payment mode collects the money by itself."),
    exclusions.BELOW_ENTRY_MINIMUM: Sentence("8.4", "Its amount is below the threshold for one entry."),
    exclusions.PROMISE_AHEAD: Sentence("8.5", "Payment is promised and the day is not reached."),
    exclusions.DISPUTED: Sentence("22.5", "It is in dispute, and disputes stop reminders here."),
    exclusions.LETTERING_ERROR: Sentence("2.8", "Its lettering does not balance; accounting must be checked."),
    exclusions.BELOW_MINIMUM: Sentence("8.8", "The total of the reminder is below the minimum."),
    exclusions.ABOVE_MAXIMUM: Sentence("8.8", "The total of the reminder is above the maximum."),
    exclusions.NET_NOT_POSITIVE: Sentence("22.10", "Credits leave nothing to ask for."),
    decision.NO_SCENARIO: Sentence("3.6", "The client's profile has no scenario."),
    decision.VARIANT_OFF: Sentence("4.1", "The scenario is switched off for clients like this one."),
    decision.EXHAUSTED: Sentence("4.10", "The last step of the scenario is done."),
    decision.NO_STEP: Sentence("4.10", "No step of the scenario is left for this entry."),
    standing.SUPERSEDED: Sentence("22.12", "Another action has taken its place."),
    standing.SETTLED: Sentence("5.8", "Everything it spoke of is settled."),
    standing.MODE_SWITCHED: Sentence("22.15", "Reminders are grouped in another way now."),
}
FRENCH: dict[str, str] = {
    DUE.text: "L'étape {step} est à faire et figure dans une action.",
    NOT_DUE.text: "L'étape {step} viendra le {until}.",
    "The client is not to be reminded.": "Le client n'est pas à relancer.",
    "This entry is not to be reminded.": "Cette écriture n'est pas à relancer.",
    "Its payment mode collects the money by itself.": "Son mode de règlement est automatique.",
    "Its amount is below the threshold for one entry.": "Son montant est sous le seuil de relance à la pièce.",
    "Payment is promised and the day is not reached.": "Une promesse de règlement est à venir.",
    "It is in dispute, and disputes stop reminders here.": (
        "Elle est en litige, et les litiges arrêtent les relances."
    ),
    "Its lettering does not balance; accounting must be checked.": (
        "Son lettrage n'est pas équilibré ; la comptabilité est à vérifier."
    ),
    "The total of the reminder is below the minimum.": "Le total de la relance est sous le seuil.",
    "The total of the reminder is above the maximum.": "Le total de la relance dépasse le plafond.",
    "Credits leave nothing to ask for.": "Déduction faite des avoirs et règlements, rien n'est à demander.",
    "The client's profile has no scenario.": "Le profil du client n'a pas de scénario.",
    "The scenario is switched off for clients like this one.": (
        "Le scénario est désactivé pour les clients de cette sorte."
    ),
    "The last step of the scenario is done.": "La dernière étape du scénario est faite.",
    "No step of the scenario is left for this entry.": "Aucune étape du scénario ne reste pour cette écriture.",
    "Another action has taken its place.": "Une autre action l'a remplacée.",
    "Everything it spoke of is settled.": "Tout ce qu'elle réclamait est soldé.",
    "Reminders are grouped in another way now.": "Le regroupement des relances a changé.",
}
STEP_IN_FRENCH = {"notice": "prévenance"}


def english(text: str) -> str:
    return text


def french(text: str) -> str:
    return FRENCH[text]


TRANSLATIONS: dict[str, Translate] = {"en": english, "fr": french}


def explain(verdict: Verdict, language: str = "en") -> tuple[Explanation, ...]:
    """One explanation per reason. Unknown languages read English."""
    translate = TRANSLATIONS.get(language, english)
    match verdict:
        case Due():
            text = translate(DUE.text).format(step=_step(verdict.step, language))
            return (Explanation("due", DUE.rule, text),)
        case NotDue():
            until = verdict.until.strftime("%d/%m/%Y") if language == "fr" else verdict.until.isoformat()
            text = translate(NOT_DUE.text).format(step=_step(verdict.step, language), until=until)
            return (Explanation("not_due", NOT_DUE.rule, text),)
        case Excluded():
            return tuple(explain_reason(reason, language) for reason in verdict.reasons)
        case NoStep():
            return (explain_reason(verdict.reason, language),)
        case _:
            assert_never(verdict)


def explain_reason(reason: str, language: str = "en") -> Explanation:
    sentence = SENTENCES[reason]
    return Explanation(reason, sentence.rule, TRANSLATIONS.get(language, english)(sentence.text))


def _step(step: str, language: str) -> str:
    return STEP_IN_FRENCH.get(step, step) if language == "fr" else step
