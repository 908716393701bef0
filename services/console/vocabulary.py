"""The codes that services speak, in the words of the screens."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from services.console.formatting import NO_BREAK, Formats, Number
from services.console.language import N_, Words

HOLDS = {"entries": N_("Écritures"), "clients": N_("Clients"), "contacts": N_("Contacts")}
FIELD_WORDS = {
    "key": N_("Clé unique de l’écriture"),
    "client_id": N_("Code du client"),
    "client_name": N_("Nom du client"),
    "account": N_("Compte collectif"),
    "journal": N_("Journal"),
    "number": N_("Numéro d’écriture"),
    "piece": N_("Numéro de pièce"),
    "entry_date": N_("Date d’écriture"),
    "invoice_date": N_("Date de facture"),
    "due_date": N_("Date d’échéance"),
    "label": N_("Libellé"),
    "debit": N_("Débit"),
    "credit": N_("Crédit"),
    "amount": N_("Montant"),
    "side": N_("Sens (débit ou crédit)"),
    "book_amount": N_("Montant en devise de tenue"),
    "currency": N_("Devise"),
    "kind": N_("Type de pièce"),
    "payment_mode": N_("Mode de règlement"),
    "lettering": N_("Code de lettrage"),
    "lettered_on": N_("Date de lettrage"),
    "settled_on": N_("Date de règlement"),
    "status": N_("Ouvert ou soldé"),
    "removed": N_("Pièce à retirer"),
    "profile": N_("Profil"),
    "category": N_("Catégorie"),
    "language": N_("Langue"),
    "contact_name": N_("Nom du contact"),
    "department": N_("Service du contact"),
    "is_default": N_("Destinataire principal"),
    "email": N_("Adresse e-mail"),
    "phone": N_("Téléphone"),
    "mobile": N_("Portable"),
    "address": N_("Adresse"),
    "address_2": N_("Adresse, suite"),
    "postcode": N_("Code postal"),
    "city": N_("Ville"),
    "country": N_("Pays"),
    "salesperson": N_("Commercial"),
    "salesperson_code": N_("Code du commercial"),
    "tag1": N_("Champ libre 1"),
    "tag2": N_("Champ libre 2"),
    "tag3": N_("Champ libre 3"),
    "tag4": N_("Champ libre 4"),
    "tag5": N_("Champ libre 5"),
    "tag6": N_("Champ libre 6"),
    "tag7": N_("Champ libre 7"),
    "tag8": N_("Champ libre 8"),
    "tag9": N_("Champ libre 9"),
    "tag10": N_("Champ libre 10"),
}
MAPPED_FIELDS = {
    "entries": (
        "client_id", "client_name", "amount", "debit", "credit", "side", "due_date", "invoice_date", "entry_date",
        "piece", "label", "kind", "status", "settled_on", "lettering", "lettered_on", "currency", "book_amount",
        "payment_mode", "key", "account", "journal", "number", "removed", "tag1", "tag2", "tag3",
    ),
    "clients": (
        "client_id", "client_name", "profile", "category", "payment_mode", "currency", "language", "contact_name",
        "email", "phone", "mobile", "address", "address_2", "postcode", "city", "country", "account",
        "salesperson", "salesperson_code", *(f"tag{n}" for n in range(1, 11)),
    ),
    "contacts": (
        "client_id", "contact_name", "department", "email", "phone", "mobile", "is_default", "language",
    ),
}  # fmt: skip
"""What a column of a file can hold, the most usual first."""
MEDIUM_ICONS = {"email": "mail", "letter": "mailbox", "phone": "phone", "other": "dots"}
MEDIA = {"email": N_("E-mail"), "letter": N_("Courrier"), "phone": N_("Appel"), "other": N_("Autre")}
KINDS = {
    "notice": N_("Prévenance"),
    "reminder": N_("Relance"),
    "thanks": N_("Remerciement"),
    "promise": N_("Promesse"),
    "payment": N_("Règlement"),
    "stop": N_("Relances stoppées"),
    "resume": N_("Relances reprises"),
    "note": N_("Note"),
    "profile": N_("Profil"),
    "dispute": N_("Litige ouvert"),
    "dispute_closed": N_("Litige clos"),
    "expected": N_("Encaissement attendu"),
    "flag": N_("Suivi du client"),
    "merged": N_("Fusion de codes"),
    "lettering_error": N_("Erreur de lettrage"),
    "due": N_("Échéance"),
    "promise_due": N_("Promesse attendue"),
    "action": N_("À faire"),
}
KIND_ICONS = {
    "notice": "bell",
    "reminder": "send",
    "thanks": "heart-handshake",
    "promise": "calendar-x",
    "payment": "circle-check",
    "stop": "hand-stop",
    "resume": "player-play",
    "note": "note",
    "profile": "adjustments-horizontal",
    "dispute": "message-report",
    "dispute_closed": "message-report",
    "expected": "calendar-event",
    "flag": "flag",
    "merged": "git-merge",
    "due": "calendar-event",
    "promise_due": "calendar-x",
    "action": "bell",
    "lettering_error": "link-off",
}
STATUSES = {
    "created": N_("À faire"),
    "proposed": N_("À faire"),
    "due": N_("En attente"),
    "sent": N_("Envoyé"),
    "done": N_("Fait"),
    "opened": N_("Ouvert"),
    "failed": N_("En erreur"),
    "bounced": N_("Refusé"),
    "in_doubt": N_("Envoi incertain"),
    "withheld": N_("Retenu"),
    "withdrawn": N_("Retiré"),
    "expected": N_("Attendue"),
    "late": N_("Dépassée"),
    "kept": N_("Tenue"),
    "cancelled": N_("Annulée"),
    "recorded": N_("Enregistré"),
    "received": N_("Reçu"),
}
STATUS_COLOURS = {"grey": "idle", "blue": "due", "green": "ok", "red": "stop"}
REASONS = {
    "client_stopped": N_("Client à ne pas relancer"),
    "entry_stopped": N_("Pièce stoppée"),
    "automatic_payment_mode": N_("Mode de règlement automatique"),
    "below_entry_minimum": N_("Montant inférieur au seuil de relance à la pièce"),
    "promise_ahead": N_("Promesse à venir"),
    "disputed": N_("Litige en cours"),
    "lettering_error": N_("Erreur de lettrage"),
    "below_minimum": N_("Total inférieur au minimum d’une relance"),
    "above_maximum": N_("Total supérieur au maximum d’une relance"),
    "creditor_client": N_("Compte client créditeur"),
    "credit_not_due": N_("Avoir non échu"),
    "within_tolerance_days": N_("Jours de tolérance non écoulés"),
    "within_tolerance_amount": N_("Retard du client dans la tolérance"),
    "contacted_recently": N_("Client contacté il y a peu"),
    "stale_data": N_("Comptabilité non lue récemment"),
    "never_reminded": N_("Client jamais relancé"),
    "net_not_positive": N_("Rien à demander, avoirs et règlements déduits"),
    "no_scenario": N_("Le profil du client n’a pas de scénario"),
    "variant_off": N_("Scénario désactivé pour ces clients"),
    "exhausted": N_("La dernière étape du scénario est faite"),
    "no_step": N_("Aucune étape ne reste pour cette pièce"),
    "superseded": N_("Une autre action l’a remplacée"),
    "settled": N_("Tout ce qu’elle réclamait est soldé"),
    "mode_switched": N_("Le regroupement des relances a changé"),
    "paid": N_("Réglé entre-temps"),
    "stopped": N_("Stoppé entre-temps"),
    "promised": N_("Promesse reçue entre-temps"),
    "withdrawn": N_("Action retirée"),
    "no_address": N_("Aucune adresse e-mail"),
    "action_withdrawn": N_("Action retirée"),
    "client_removed": N_("Client supprimé de la comptabilité"),
    "entry_removed": N_("Pièce supprimée de la comptabilité"),
    "entry_lettered": N_("Pièce réglée entre-temps"),
    "entry_changed": N_("Pièce modifiée entre-temps"),
    "lettering_undone": N_("Règlement délettré entre-temps"),
    "thanks_lapsed": N_("Règlement trop ancien pour un remerciement"),
    "thanks_off": N_("Le scénario ne remercie plus"),
    "nothing_due": N_("Rien à demander, avoirs et règlements déduits"),
    "entry_not_yet_heard": N_("Mise à jour en cours"),
    "no_email_address": N_("Aucune adresse e-mail"),
    "sender_refused": N_("Adresse d’expédition refusée par le serveur de messagerie"),
    "recipients_refused": N_("Adresse du destinataire refusée"),
    "message_refused": N_("Message refusé par le serveur de messagerie"),
    "not_accepted_in_time": N_("Serveur de messagerie trop longtemps indisponible"),
    "template_missing": N_("Aucun modèle pour cette étape"),
    "template_invalid": N_("Modèle inutilisable"),
}
REFUSED = N_("La demande a été refusée : vérifiez la saisie.")
REFUSALS = {
    "simulations-waiting": N_("Cinq simulations attendent déjà : laissez-en finir une, ou arrêtez-la."),
    "period-refused": N_(
        "Cette période ne peut pas être simulée : le passé va jusqu’à aujourd’hui, 800 jours au plus."
    ),
    "period-unclear": N_("Donnez les deux dates de la période passée."),
    "profile-without-scenario": N_("Le profil à suivre n’a pas de scénario."),
    "unreadable": N_("Une date ou un montant ne se lit pas : rien n’a été enregistré."),
    "field-twice": N_("Deux champs portent le même nom : rien n’a été enregistré."),
    "promise-in-the-past": N_("Une promesse se note pour aujourd’hui ou plus tard."),
    "promise-of-nothing": N_("Le montant promis doit être supérieur à zéro."),
    "entry-already-lettered": N_("Cette pièce est déjà réglée."),
    "entry-is-a-credit": N_("Cette pièce est un avoir ou un règlement : rien n’y est dû."),
    "promise-already-kept": N_("Cette promesse est déjà tenue."),
    "promise-already-cancelled": N_("Cette promesse est déjà annulée."),
    "client-already-stopped": N_("Les relances de ce client sont déjà stoppées."),
    "client-not-stopped": N_("Les relances de ce client ne sont pas stoppées."),
    "entry-already-stopped": N_("Les relances de cette pièce sont déjà stoppées."),
    "entry-not-stopped": N_("Les relances de cette pièce ne sont pas stoppées."),
    "stop-ends-in-the-past": N_("La date de reprise doit être dans le futur."),
    "dispute-already-open": N_("Un litige est déjà ouvert."),
    "dispute-already-closed": N_("Ce litige est déjà clos."),
    "unknown-dispute-reason": N_("Ce motif de litige n’existe plus : choisissez-en un autre."),
    "entry-not-repositioned": N_("Cette pièce est déjà à sa date d’échéance."),
    "expected-in-the-past": N_("Un encaissement s’attend pour aujourd’hui ou plus tard."),
    "client-already-flagged": N_("Ce client est déjà suivi."),
    "client-not-flagged": N_("Ce client n’est pas suivi."),
    "merge-into-itself": N_("Ces deux codes sont déjà le même client."),
    "client-already-merged": N_("Ce code a déjà été fusionné avec un autre."),
    "one-of-them-erased": N_(
        "L’un de ces codes est effacé : effacez d’abord l’autre, ou conservez-le de nouveau."
    ),
    "unknown-client": N_("Aucun client n’a ce code."),
    "unknown-contact": N_("Ce contact n’existe plus."),
    "file-missing": N_("Choisissez un fichier PDF à joindre."),
    "file-too-large": N_("Ce fichier dépasse 15 Mo."),
    "not-a-pdf": N_("Ce fichier n’est pas un PDF."),
    "entry-unknown": N_("Cette pièce n’existe plus en comptabilité."),
    "person-erased": N_("Les données personnelles de ce client ont été effacées : rien n’y est joint."),
    "unknown-document": N_("Ce document n’existe plus."),
    "unreadable-option": N_("Un champ ne se lit pas : rien n’a été enregistré."),
    "minimum-above-maximum": N_("Le minimum d’une relance dépasse son plafond : rien ne passerait."),
    "negative-threshold": N_("Un seuil est zéro ou plus."),
    "days-out-of-range": N_("Un nombre de jours va de 0 à 365."),
    "dispute-reason-taken": N_("Ce motif existe déjà."),
    "too-many-dispute-reasons": N_("Il y a déjà 50 motifs : supprimez-en d’abord un."),
    "last-dispute-reason": N_("Il faut garder au moins un motif."),
    "unknown-profile": N_("Ce profil n’existe plus."),
    "profile-name-taken": N_("Un profil porte déjà ce nom."),
    "profile-is-default": N_("Ce profil est celui par défaut : choisissez-en d’abord un autre."),
    "profile-takes-over-itself": N_("Un profil supprimé ne reprend pas ses propres clients."),
    "list-changed": N_("La liste a changé entre-temps : rien n’a été affecté."),
    "role-insufficient": N_("Votre rôle ne permet pas cette action."),
}
DISPUTES = {
    "price": N_("Prix"),
    "quantity": N_("Quantité"),
    "quality": N_("Qualité"),
    "delivery": N_("Livraison"),
    "missing_order_number": N_("N° de commande manquant"),
    "invoice_not_received": N_("Facture non reçue"),
    "credit_note_expected": N_("Avoir attendu"),
    "other": N_("Autre motif"),
}
AGEING = {
    "over_90": N_("Plus de 90 j"),
    "from_61_to_90": N_("61 à 90 j"),
    "from_31_to_60": N_("31 à 60 j"),
    "from_1_to_30": N_("1 à 30 j"),
    "in_0_to_30": N_("Dans 0 à 30 j"),
    "in_31_to_60": N_("Dans 31 à 60 j"),
    "after_60": N_("Plus tard"),
}
OPERATOR = "operator"
"""Who gives commands from the command line."""
ROLES = {"reader": N_("Lecture seule"), "user": N_("Utilisateur"), "admin": N_("Administrateur")}


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

    def reason(self, code: str | None) -> str:
        return self._word(REASONS, code)

    def dispute(self, reason: str | None) -> str:
        """The reason of a dispute; a company's own is shown as it was written."""
        return self._words.gettext(DISPUTES[reason]) if reason in DISPUTES else reason or "–"

    def refusal(self, code: str) -> str:
        """Why a service refused a command."""
        return self._words.gettext(REFUSALS.get(code, REFUSED))

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
        """A person's name, or that a machine did it."""
        _ = self._words.gettext
        if actor.startswith("user:"):
            return names.get(actor.removeprefix("user:"), _("Utilisateur"))
        if actor.startswith(("system", "service")):
            return _("Automatique")
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

    def late_since(self, day: date) -> str:
        return self._words.gettext("depuis le %(day)s") % {"day": self._formats.full_day(day)}

    @property
    def no_break(self) -> str:
        return NO_BREAK
