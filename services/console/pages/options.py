"""The options of a company's policy as the page shows them: one sentence each, and the rule behind it."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from starlette.datastructures import FormData

from services.console.formatting import amount_written, day_written
from services.console.language import N_

Policy = dict[str, object]


class Option(NamedTuple):
    """``kind``: ``switch``, ``choice``, ``days``, ``amount`` or ``day``; ``choices`` are code and word.

    ``said`` is what it does, in one sentence; ``rule`` a number of docs/rules.md.
    """

    name: str
    kind: str
    label: str
    said: str
    rule: str
    choices: tuple[tuple[str, str], ...] = ()


class Section(NamedTuple):
    key: str
    title: str
    options: tuple[Option, ...]


SECTIONS = (
    Section(
        "grouping",
        N_("Regroupement des relances"),
        (
            Option(
                "mode",
                "choice",
                N_("Une relance regroupe"),
                N_(
                    "À la pièce : les pièces arrivées à la même étape. À la situation de compte : tout le retard"
                    " du client en un message. Changer retire les propositions que personne n’a confirmées."
                ),
                "6.1",
                (("item", N_("Les pièces d’une même étape")), ("account", N_("La situation de compte"))),
            ),
            Option(
                "netting",
                "choice",
                N_("Avoirs et règlements non lettrés"),
                N_("Dit dans quelle relance les crédits du client sont déduits de ce qui est demandé."),
                "7.2",
                (
                    ("same_level", N_("Déduits à leur propre niveau")),
                    ("account", N_("Déduits au plus haut niveau du client")),
                    ("none", N_("Montrés sans être déduits")),
                ),
            ),
        ),
    ),
    Section(
        "thresholds",
        N_("Seuils et tolérance"),
        (
            Option(
                "minimum_per_entry",
                "amount",
                N_("Seuil de relance à la pièce"),
                N_("Une facture d’un montant inférieur n’est pas relancée ; un montant égal l’est."),
                "8.4",
            ),
            Option(
                "minimum_per_reminder",
                "amount",
                N_("Minimum d’une relance"),
                N_("Une relance dont le total est inférieur n’est pas proposée."),
                "8.8",
            ),
            Option(
                "maximum_per_reminder",
                "amount",
                N_("Plafond d’une relance"),
                N_("Au-delà, rien ne part : une personne coche la ligne pour la valider."),
                "8.8",
            ),
            Option(
                "tolerance_days",
                "days",
                N_("Jours de tolérance après l’échéance"),
                N_("Pendant ces jours, une facture n’est pas encore en retard pour les relances."),
                "22.26",
            ),
            Option(
                "tolerance_amount",
                "amount",
                N_("Retard toléré par client"),
                N_(
                    "Tant que le retard d’un client, crédits échus déduits, ne le dépasse pas, il n’est pas"
                    " relancé."
                ),
                "22.26",
            ),
        ),
    ),
    Section(
        "exclusions",
        N_("Ce qui retient une relance"),
        (
            Option(
                "promises_exclude",
                "switch",
                N_("Exclure des relances les écritures avec promesse à venir"),
                N_("Jusqu’au jour promis ; une seule promesse dépassée rend l’écriture relançable."),
                "10.4",
            ),
            Option(
                "disputes_exclude",
                "switch",
                N_("Exclure des relances les écritures et les comptes en litige"),
                N_("Sans cette option, un litige seul n’arrête rien : il faut aussi STOP."),
                "22.5",
            ),
            Option(
                "upcoming_credits_excluded",
                "switch",
                N_("Exclure les avoirs non échus"),
                N_("Un avoir ou un règlement n’est déduit qu’une fois son échéance passée."),
                "7.5",
            ),
            Option(
                "creditors_hidden",
                "switch",
                N_("Masquer les clients créditeurs"),
                N_(
                    "Ils ne sont jamais relancés ; sans cette option, ils restent affichés, décochés, avec le"
                    " motif."
                ),
                "22.3",
            ),
            Option(
                "contact_gap_days",
                "days",
                N_("Jours entre deux contacts d’un même client"),
                N_(
                    "Tous médias confondus, appels et courriers faits à la main compris ; la relance reste"
                    " affichée avec sa date de report. Zéro : pas de délai."
                ),
                "22.7",
            ),
        ),
    ),
    Section(
        "automatic",
        N_("Envois automatiques"),
        (
            Option(
                "automatic_from",
                "day",
                N_("Actifs pour les factures datées à partir du"),
                N_(
                    "Les étapes automatiques partent alors seules ; sans date, elles attendent qu’une"
                    " personne les confirme. Chaque pièce peut être incluse ou retirée à part."
                ),
                "22.13",
            ),
            Option(
                "stale_after_days",
                "days",
                N_("Âge maximal de la dernière synchronisation, en jours"),
                N_("Si la comptabilité n’a pas été lue depuis, rien ne part seul : la relance attend."),
                "2.6",
            ),
        ),
    ),
)


def options() -> Iterator[Option]:
    for section in SECTIONS:
        yield from section.options


def written(form: FormData, policy: Mapping[str, object]) -> tuple[Policy, set[str]]:
    """The policy that the form wants, and the names of fields that cannot be read.

    A field that the form does not hold stays as it is, but a switch: it is off when it is not sent.
    """
    wanted, unreadable = dict(policy), set()
    for option in options():
        text = str(form.get(option.name, "")).strip()
        if option.kind == "switch":
            wanted[option.name] = text == "true"
        elif option.name in form:
            try:
                wanted[option.name] = _value(option, text)
            except ValueError:
                unreadable.add(option.name)
                wanted[option.name] = text
    return wanted, unreadable


def _value(option: Option, text: str) -> object:
    """Raises ``ValueError`` when the text cannot be read as what the option is."""
    found: object
    match option.kind:
        case "days":
            return int(text or "0")
        case "amount":
            found = amount_written(text)
        case "day":
            found = day_written(text)
        case _:
            return text
    if text and found is None:
        raise ValueError(text)
    if isinstance(found, Decimal):
        return format(found, "f")
    return found.isoformat() if isinstance(found, date) else None
