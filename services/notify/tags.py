"""The ``%tags%`` of templates: which exist, and what each stands for (rules 13.2, 13.3, 13.5)."""

from collections.abc import Mapping
from typing import NamedTuple


class Said(NamedTuple):
    """A sentence in the languages of the screens."""

    fr: str
    en: str


TAGS: Mapping[str, Said] = {
    "client_name": Said("Nom du client", "Name of the client"),
    "client_code": Said("Code du client en comptabilité", "Code of the client in accounting"),
    "client_address": Said("Adresse postale du client", "Postal address of the client"),
    "contact_name": Said("Nom du contact", "Name of the contact"),
    "total": Said("Somme due dans ce message", "Amount due in this message"),
    "total_overdue": Said("Total en retard du client", "What the client owes that is late"),
    "total_upcoming": Said("Total à venir du client", "What the client owes that is not yet due"),
    "level": Said("Niveau de relance de ce message", "Reminder level of this message"),
    "oldest_due_date": Said("Échéance la plus ancienne de ce message", "Oldest due date in this message"),
    "max_days_late": Said("Plus grand nombre de jours de retard", "Greatest number of days late"),
    "invoice_list": Said("Numéros des factures, séparés par des virgules", "Invoice numbers, between commas"),
    "tableau_comptable": Said("Tableau des pièces", "Table of the entries"),
    "tableau_comptable1": Said("Tableau des pièces, compact", "Table of the entries, compact"),
    "tableau_comptable2": Said("Tableau des pièces, cinq colonnes", "Table of the entries, five columns"),
    "tableau_comptable3": Said(
        "Tableau des pièces, avec le niveau, le libellé et les champs libres de chaque ligne",
        "Table of the entries, with level, label and custom fields of each line",
    ),
    "penalties": Said("Pénalités de retard", "Late-payment interest"),
    "fixed_indemnity": Said("Indemnité forfaitaire de recouvrement", "Fixed recovery charge"),
    "sender_name": Said("Nom de l’expéditeur", "Name of the sender"),
    "sender_email": Said("Adresse e-mail de l’expéditeur", "E-mail address of the sender"),
    "sender_phone": Said("Téléphone de l’expéditeur", "Telephone of the sender"),
    "company_name": Said("Nom de la société", "Name of the company"),
    "company_address": Said("Adresse de la société", "Address of the company"),
    "today": Said("Date du message", "Date of the message"),
    "salesperson": Said("Commercial", "Sales person"),
    **{
        f"tag{number}": Said(f"Champ libre {number} du client", f"Custom field {number} of the client")
        for number in range(1, 11)
    },
    "documents": Said("Liens vers les documents des factures", "Links to the documents of the invoices"),
    "debtor_space": Said("Bouton vers l’espace client", "Button to the client space"),
    "access_invoices": Said("Bouton « Accéder aux factures »", "Button “View the invoices”"),
    "pay": Said("Bouton de paiement et coordonnées bancaires", "Payment button and bank details"),
}
"""Every tag, with the sentence that the list of tags shows."""

BLOCK_TAGS = frozenset(
    {"tableau_comptable", "tableau_comptable1", "tableau_comptable2", "tableau_comptable3"}
    | {"debtor_space", "access_invoices", "pay", "documents"}
)
"""Tags that stand for a whole block; each is alone on its line, and has no place in a subject."""

NOT_YET: Mapping[str, Said] = {}
"""Buttons whose link would lead nowhere: refused by name when a text is saved, never a dead link."""

NEEDS: Mapping[str, tuple[frozenset[str], Said]] = {
    "debtor_space": (
        frozenset({"space_url"}),
        Said(
            "Le bouton vers l’espace client est laissé de côté : cette installation n’offre pas d’espace client.",
            "The button to the client space is left out: this installation offers no client space.",
        ),
    ),
    "documents": (
        frozenset({"space_url"}),
        Said(
            "Les liens vers les documents sont laissés de côté : cette installation n’offre pas d’espace client.",
            "The links to the documents are left out: this installation offers no client space.",
        ),
    ),
    "access_invoices": (
        frozenset({"invoices_url", "space_url"}),
        Said(
            "Le bouton « Accéder aux factures » est laissé de côté : l’adresse des factures n’est pas renseignée"
            " dans Configurer, Expéditeur.",
            "The button “View the invoices” is left out: the address of the invoices is not set under"
            " Configure, Sender.",
        ),
    ),
    "pay": (
        frozenset({"payment_url", "bank_details"}),
        Said(
            "Le bouton de paiement est laissé de côté : ni adresse de paiement ni coordonnées bancaires dans"
            " Configurer, Expéditeur.",
            "The payment button is left out: there is neither a payment address nor bank details under"
            " Configure, Sender.",
        ),
    ),
    "penalties": (
        frozenset({"late_interest"}),
        Said(
            "Les pénalités de retard restent vides : Configurer, Intérêts de retard ne dit pas quels clients sont"
            " des professionnels.",
            "Late-payment interest stays empty: Configure, Late interest does not say which clients are"
            " businesses.",
        ),
    ),
    "fixed_indemnity": (
        frozenset({"late_interest"}),
        Said(
            "L’indemnité forfaitaire reste vide : Configurer, Intérêts de retard ne dit pas quels clients sont"
            " des professionnels.",
            "The fixed recovery charge stays empty: Configure, Late interest does not say which clients are"
            " businesses.",
        ),
    ),
}
"""What the sender must have for a tag to show anything: one of these; and what is told while it has none."""
