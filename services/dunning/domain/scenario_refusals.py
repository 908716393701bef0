"""Why a scenario cannot work, with the step that is meant and what to do about it, in English and in French."""

from typing import ClassVar

VARIANTS_IN_ENGLISH = {"with_email": "with e-mail", "without_email": "without e-mail"}
VARIANTS_IN_FRENCH = {"with_email": "avec e-mail", "without_email": "sans e-mail"}
STEPS_IN_FRENCH = {"notice": "prévenance", "thanks": "remerciement"}


class ScenarioRefused(Exception):
    """A scenario that cannot work; each kind is a fact of its own, ``str()`` says it in a sentence.

    ``variant`` is ``with_email``, ``without_email`` or ``None`` for both; ``step`` and ``field`` name what is
    meant. On the one that is raised, ``problems`` holds everything that was found.
    """

    field: ClassVar[str | None] = None
    english: ClassVar[tuple[str, str]] = ("This cannot work.", "Change it.")
    french: ClassVar[tuple[str, str]] = ("Cela ne peut pas fonctionner.", "Modifiez-le.")

    def __init__(
        self, profile: str, variant: str | None = None, step: str | None = None, **values: object
    ) -> None:
        self.profile = profile
        self.variant = variant
        self.step = step
        self.problems: list[dict[str, object]] = []
        self._values = values
        super().__init__(self.sentence("en"))

    def why(self, language: str) -> str:
        return self._words(language)[0].format(step=self._step(language), **self._values)

    def remedy(self, language: str) -> str:
        return self._words(language)[1].format(step=self._step(language), **self._values)

    def sentence(self, language: str) -> str:
        """Where, why and what to do."""
        variants = VARIANTS_IN_FRENCH if language == "fr" else VARIANTS_IN_ENGLISH
        where = [self.profile, *([variants[self.variant]] if self.variant else ())]
        where += [self._step(language)] if self.step else []
        colon = " : " if language == "fr" else ": "
        return f"{', '.join(where)}{colon}{self.why(language)} {self.remedy(language)}"

    def as_problem(self) -> dict[str, object]:
        """For an answer: ``code``, where, and the sentences in both languages."""
        words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in type(self).__name__)
        return {
            "code": words.removeprefix("-"),
            "profile": self.profile,
            "variant": self.variant,
            "step": self.step,
            "field": self.field,
            "why": {language: self.why(language) for language in ("fr", "en")},
            "remedy": {language: self.remedy(language) for language in ("fr", "en")},
        }

    def _words(self, language: str) -> tuple[str, str]:
        return self.french if language == "fr" else self.english

    def _step(self, language: str) -> str:
        name = self.step or ""
        return STEPS_IN_FRENCH.get(name, name) if language == "fr" else name


class UnknownStep(ScenarioRefused):
    field = "step"
    english = ("{value!r} is not a step.", "Use notice, R1 to R7 or thanks.")
    french = ("« {value} » n'est pas une étape.", "Utilisez notice, R1 à R7 ou thanks.")


class UnknownMedium(ScenarioRefused):
    field = "medium"
    english = ("{value!r} is not a medium.", "Use email, letter, phone or other.")
    french = ("« {value} » n'est pas un moyen de contact.", "Utilisez email, letter, phone ou other.")


class UnknownReference(ScenarioRefused):
    field = "counted_from"
    english = ("{value!r} is not a date to count from.", "Use due_date, invoice_date or previous_step.")
    french = ("« {value} » n'est pas un point de départ.", "Utilisez due_date, invoice_date ou previous_step.")


class UnknownMode(ScenarioRefused):
    field = "mode"
    english = ("{value!r} is not a sending mode.", "Use manual or automatic.")
    french = ("« {value} » n'est pas un mode d'envoi.", "Utilisez manual ou automatic.")


class DelayOutOfRange(ScenarioRefused):
    field = "delay_days"
    english = ("a delay of {value} days is not possible.", "Give 0 to {most} days.")
    french = ("un délai de {value} jours n'est pas possible.", "Indiquez de 0 à {most} jours.")


class StepsOutOfOrder(ScenarioRefused):
    field = "step"
    english = (
        "{step} does not stand in its place: {names}.",
        "Put the steps in order and once each: notice, R1 to R7, thanks.",
    )
    french = (
        "{step} n'est pas à sa place : {names}.",
        "Rangez les étapes dans l'ordre, une fois chacune : prévenance, R1 à R7, remerciement.",
    )


class FirstReminderCountsFromPreviousStep(ScenarioRefused):
    field = "counted_from"
    english = (
        "{step} is the first active reminder; no step before it can be counted from.",
        "Count it from the due date or the invoice date, or switch an earlier reminder on.",
    )
    french = (
        "{step} est la première relance active ; aucune étape ne la précède.",
        "Comptez-la depuis l'échéance ou la date de facture, ou activez une relance antérieure.",
    )


class ReferenceDatesDiffer(ScenarioRefused):
    field = "counted_from"
    english = (
        "{step} counts from another date than the reminders before it.",
        "Count all reminders from the due date, or all from the invoice date.",
    )
    french = (
        "{step} part d'une autre date que les relances précédentes.",
        "Comptez toutes les relances depuis l'échéance, ou toutes depuis la date de facture.",
    )


class NoticeNotCountedFromDueDate(ScenarioRefused):
    field = "counted_from"
    english = (
        "the notice is counted back from the due date.",
        "Count it from the due date, without end of month.",
    )
    french = (
        "la prévenance se compte à rebours de l'échéance.",
        "Comptez-la depuis l'échéance, sans fin de mois.",
    )


class ThanksNotCountedFromPayment(ScenarioRefused):
    field = "counted_from"
    english = (
        "the thank-you is counted from the payment date.",
        "Count it from payment_date, without end of month.",
    )
    french = (
        "le remerciement se compte depuis la date du règlement.",
        "Comptez-le depuis payment_date, sans fin de mois.",
    )


class OnlyThanksCountFromPayment(ScenarioRefused):
    field = "counted_from"
    english = (
        "{step} cannot be counted from a payment, which has not come.",
        "Count it from the due date, the invoice date or the previous reminder.",
    )
    french = (
        "{step} ne peut pas partir d'un règlement, qui n'est pas arrivé.",
        "Comptez-la depuis l'échéance, la date de facture ou la relance précédente.",
    )


class EmailStepForClientsWithoutEmail(ScenarioRefused):
    field = "medium"
    english = ("{step} is an e-mail, which these clients cannot get.", "Choose a letter, a call or another way.")
    french = (
        "{step} est un e-mail, que ces clients ne peuvent pas recevoir.",
        "Choisissez un courrier, un appel ou un autre moyen.",
    )


class TemplateMissing(ScenarioRefused):
    field = "template"
    english = ("an e-mail or a letter needs a template.", "Choose the template of {step}.")
    french = ("un e-mail ou un courrier a besoin d'un modèle.", "Choisissez le modèle de {step}.")


class OnlyEmailIsAutomatic(ScenarioRefused):
    field = "mode"
    english = ("only an e-mail can leave by itself.", "Make {step} manual, or an e-mail.")
    french = ("seul un e-mail peut partir tout seul.", "Passez {step} en manuel, ou en e-mail.")


class OnlyEmailHasCopies(ScenarioRefused):
    field = "copies"
    english = ("only an e-mail has copies.", "Take the copies of {step} away, or make it an e-mail.")
    french = ("seul un e-mail a des copies.", "Retirez les copies de {step}, ou choisissez l'e-mail.")


class CalendarImpossible(ScenarioRefused):
    field = "calendar"
    english = (
        "its calendar cannot be kept: {part}.",
        "Weekdays are 1 to 7, days of the month 1 to 31, the hour is written HH:MM.",
    )
    french = (
        "son calendrier est impossible : {part}.",
        "Les jours de semaine vont de 1 à 7, les jours du mois de 1 à 31, l'heure s'écrit HH:MM.",
    )


class NoActiveStep(ScenarioRefused):
    english = ("no step is switched on.", "Switch a step on, or switch this column off.")
    french = ("aucune étape n'est active.", "Activez une étape, ou désactivez cette colonne.")


class NoActiveVariant(NoActiveStep):
    english = (
        "neither column is switched on.",
        "Switch one on.",
    )
    french = (
        "aucune des deux colonnes n'est active.",
        "Activez-en une.",
    )
