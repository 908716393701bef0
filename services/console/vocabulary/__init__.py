"""The codes that services speak, in the words of the screens."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from contracts.systems import ACTOR_OF_SYSTEM, OURS
from services.console.formatting import Formats, Number
from services.console.language import Words
from services.console.vocabulary.codes import (
    AGEING,
    DISPUTES,
    FIELD_WORDS,
    HOLDS,
    KIND_ICONS,
    KINDS,
    MEDIA,
    MEDIUM_ICONS,
    OPERATOR,
    REASONS,
    REFUSALS,
    REFUSED,
    ROLES,
    STATUS_COLOURS,
    STATUSES,
)
from services.console.vocabulary.sealed import BROKEN, SEALED

OWN_ACTORS = {"system", *(f"{ACTOR_OF_SYSTEM}{name}" for name in OURS)}
"""What Relance does by itself; any other system has an API key and is named."""
FORMAL_NOTICE = "formal_notice"


class Vocabulary:
    """The words of one language for codes."""

    def __init__(self, words: Words, formats: Formats) -> None:
        self._words = words
        self._formats = formats

    def _word(self, known: Mapping[str, str], code: str | None) -> str:
        """The word for a code; a code without one is shown as it is, with its underscores as spaces."""
        if not code:
            return "–"
        return self._words.gettext(known[code]) if code in known else code.replace("_", " ")

    def holds(self, code: str) -> str:
        return self._word(HOLDS, code)

    def field(self, code: str) -> str:
        """What a column of a file holds."""
        return self._word(FIELD_WORDS, code)

    def medium(self, code: str | None) -> str:
        return self._word(MEDIA, code)

    def medium_icon(self, code: str | None) -> str:
        return MEDIUM_ICONS.get(code or "", "dots")

    def kind(self, code: str) -> str:
        return self._word(KINDS, code)

    def kind_icon(self, code: str) -> str:
        return KIND_ICONS.get(code, "dots")

    def status(self, code: str) -> str:
        return self._word(STATUSES, code)

    def colour(self, code: str) -> str:
        return STATUS_COLOURS.get(code, "idle")

    def template(self, name: str) -> str:
        """A delivered template by its step, an own one by its name."""
        if name == FORMAL_NOTICE:
            return self._words.gettext("Mise en demeure")
        return self.step(name) if self.is_delivered(name) else name

    def is_delivered(self, name: str) -> bool:
        """Every company has a text of this name; the others are its own."""
        return name in ("notice", "thanks", FORMAL_NOTICE) or re.fullmatch(r"R[1-7]", name) is not None

    def reason(self, code: str | None) -> str:
        return self._word(REASONS, code)

    def dispute(self, reason: str | None) -> str:
        """The reason of a dispute; a company's own is shown as it was written."""
        return self._words.gettext(DISPUTES[reason]) if reason in DISPUTES else reason or "–"

    def sealed(self, kind: str) -> str:
        """What a record of the legal archive is about."""
        return self._word(SEALED, kind)

    def broken(self, why: str) -> str:
        """How a record of it is not as it was sealed."""
        return self._word(BROKEN, why)

    def refusal(self, code: str) -> str:
        """Why a service refused a command."""
        return self._words.gettext(REFUSALS.get(code, REFUSED))

    def refused(self, facts: Mapping[str, Any]) -> str:
        """As ``refusal``, with the tags that are not known (rule 13.5)."""
        words = self.refusal(str(facts.get("type", "")))
        tags = [f"%{problem['tag']}%" for problem in facts.get("problems", []) if problem.get("tag")]
        return f"{words} {', '.join(tags)}" if tags else words

    def ageing(self, key: str) -> str:
        return self._word(AGEING, key)

    def role(self, code: str) -> str:
        return self._word(ROLES, code)

    def days(self, days: int) -> str:
        """``25 j``, for a badge."""
        return self._formats.day_count(days)

    def slice(self, part: Mapping[str, Any]) -> str:
        """The heading of an overdue slice."""
        _ = self._words.gettext
        if part["to_days"] is None:
            return _("Plus de %(days)s j") % {"days": part["from_days"] - 1}
        return _("De %(first)s à %(last)s j") % {"first": part["from_days"], "last": part["to_days"]}

    def step(self, step: str) -> str:
        """``Relance 2``, ``Prévenance``, ``Remerciement``."""
        _ = self._words.gettext
        if step == "notice":
            return _("Prévenance")
        if step == "thanks":
            return _("Remerciement")
        return _("Relance %(number)s") % {"number": step.removeprefix("R")}

    def step_timing(self, step: Mapping[str, Any], previous: str | None = None) -> str:
        """``Relance 2 à Relance 1 + 8 jours``; ``Relance 1 à J+8``."""
        _ = self._words.gettext
        name, days = self.step(step["step"]), step.get("delay_days")
        if days is None:
            return name
        if step["step"] == "notice":
            return _("%(step)s à J−%(days)s") % {"step": name, "days": days}
        if step.get("counted_from") == "previous_step" and previous:
            return self._words.ngettext(
                "%(step)s à %(previous)s + %(days)s jour", "%(step)s à %(previous)s + %(days)s jours", days
            ) % {"step": name, "previous": self.step(previous), "days": days}
        if step["step"] == "thanks":
            return name
        return _("%(step)s à J+%(days)s") % {"step": name, "days": days}

    def actor(self, actor: str, names: Mapping[str, str]) -> str:
        """A person's name, that of another system, or that Relance did it itself."""
        _ = self._words.gettext
        if actor.startswith("user:"):
            return names.get(actor.removeprefix("user:"), _("Utilisateur"))
        if actor.startswith("service") or actor in OWN_ACTORS:
            return _("Automatique")
        if actor == "debtor":
            return _("Le client lui-même")
        return _("Opérateur") if actor == OPERATOR else actor.split(":", 1)[-1]

    def emails(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s e-mail", "%(n)s e-mails", number), number)

    def letters(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s courrier", "%(n)s courriers", number), number)

    def calls(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s appel", "%(n)s appels", number), number)

    def others(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s autre action", "%(n)s autres actions", number), number)

    def clients(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s client", "%(n)s clients", number), number)

    def disputes(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s litige", "%(n)s litiges", number), number)

    def promises(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s promesse", "%(n)s promesses", number), number)

    def receipts(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s encaissement", "%(n)s encaissements", number), number)

    def entries(self, number: int) -> str:
        return self._counted(self._words.ngettext("%(n)s pièce", "%(n)s pièces", number), number)

    def counted(self, medium: str, number: int) -> str:
        """``42 e-mails``, ``1 appel``."""
        return {"email": self.emails, "letter": self.letters, "phone": self.calls}.get(medium, self.others)(number)

    def to_do(self, medium: str, number: int) -> str:
        """What stands beside the number: ``appels à effectuer``."""
        ngettext = self._words.ngettext
        if medium == "phone":
            return ngettext("appel à effectuer", "appels à effectuer", number)
        if medium == "letter":
            return ngettext("courrier à envoyer", "courriers à envoyer", number)
        if medium == "email":
            return ngettext("e-mail à envoyer", "e-mails à envoyer", number)
        return ngettext("autre action à effectuer", "autres actions à effectuer", number)

    def _counted(self, text: str, number: int) -> str:
        return text % {"n": self._formats.whole(number)}

    def share(self, share: float | None) -> str:
        return "–" if share is None else self._formats.percent(Decimal(str(share)), 1)

    def money(self, amount: Number, currency: str) -> str:
        return self._formats.money(amount, currency)
