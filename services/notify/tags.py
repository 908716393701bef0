"""The ``%tags%`` of templates: which exist, and what a text may hold before it is saved (rules 13.2, 13.5)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

TAGS: Mapping[str, str] = {
    "client_name": "Nom du client",
    "client_code": "Code du client en comptabilité",
    "client_address": "Adresse postale du client",
    "contact_name": "Nom du contact",
    "total": "Somme due dans ce message",
    "total_overdue": "Total en retard du client",
    "total_upcoming": "Total à venir du client",
    "level": "Niveau de relance de ce message",
    "oldest_due_date": "Échéance la plus ancienne de ce message",
    "max_days_late": "Plus grand nombre de jours de retard",
    "invoice_list": "Numéros des factures, séparés par des virgules",
    "tableau_comptable": "Tableau des pièces",
    "tableau_comptable1": "Tableau des pièces, compact",
    "tableau_comptable2": "Tableau des pièces, cinq colonnes",
    "tableau_comptable3": "Tableau des pièces, avec le niveau et le libellé de chaque ligne",
    "penalties": "Pénalités de retard",
    "fixed_indemnity": "Indemnité forfaitaire de recouvrement",
    "sender_name": "Nom de l’expéditeur",
    "sender_email": "Adresse e-mail de l’expéditeur",
    "sender_phone": "Téléphone de l’expéditeur",
    "company_name": "Nom de la société",
    "company_address": "Adresse de la société",
    "today": "Date du message",
    "salesperson": "Commercial",
    **{f"tag{number}": f"Champ libre {number} du client" for number in range(1, 11)},
    "access_invoices": "Bouton « Accéder aux factures »",
    "pay": "Bouton de paiement et coordonnées bancaires",
}
"""Every tag, with the sentence that the list of tags shows."""

BLOCK_TAGS = frozenset(
    {"tableau_comptable", "tableau_comptable1", "tableau_comptable2", "tableau_comptable3"}
    | {"access_invoices", "pay"}
)
"""Tags that stand for a whole block; each is alone on its line, and has no place in a subject."""

BOLD = "**"

_PIECE = re.compile(r"%%|%([^\s%<>\"'{}]{1,40})%|\*\*")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class TagProblem:
    """What keeps a text from being saved. ``line`` and ``column`` count from 1; ``field`` is subject or body."""

    field: str
    line: int
    column: int
    tag: str
    code: str
    nearest: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one line: ``kind`` is ``text``, ``tag`` or ``bold`` (a switch)."""

    kind: str
    value: str


def pieces(line: str) -> Iterator[Piece]:
    """The parts of one line, in order; ``%%`` is a percent sign. A name between two ``%`` is always a tag."""
    at = 0
    for match in _PIECE.finditer(line):
        if match.start() > at:
            yield Piece("text", line[at : match.start()])
        if match.group() == "%%":
            yield Piece("text", "%")
        elif match.group() == BOLD:
            yield Piece("bold", BOLD)
        else:
            yield Piece("tag", match.group(1))
        at = match.end()
    if at < len(line):
        yield Piece("text", line[at:])


def block_of(line: str) -> str | None:
    """The block tag that this line stands for, if it holds nothing else."""
    name = line.strip().strip("%")
    return name if line.strip() == f"%{name}%" and name in BLOCK_TAGS else None


def problems(subject: str, body: str) -> list[TagProblem]:
    """Everything that keeps this template from being saved; empty when it may be."""
    found = [*_problems_in("subject", subject), *_problems_in("body", body)]
    if not subject.strip():
        found.insert(0, TagProblem("subject", 1, 1, "", "empty", (), "L’objet est vide."))
    if "\n" in subject.strip():
        found.insert(0, TagProblem("subject", 1, 1, "", "lines", (), "L’objet tient sur une seule ligne."))
    if not body.strip():
        found.append(TagProblem("body", 1, 1, "", "empty", (), "Le texte est vide."))
    return found


def _problems_in(field: str, text: str) -> Iterator[TagProblem]:
    for number, line in enumerate(text.splitlines(), start=1):
        for stray in _FORBIDDEN.finditer(line):
            yield TagProblem(
                field,
                number,
                stray.start() + 1,
                "",
                "control_character",
                (),
                f"Un caractère invisible se trouve ligne {number}, colonne {stray.start() + 1} : supprimez-le.",
            )
        for match in _PIECE.finditer(line):
            name = match.group(1)
            if name is None:
                continue
            column = match.start() + 1
            if name not in TAGS:
                yield _unknown(field, number, column, name)
            elif name in BLOCK_TAGS and (field == "subject" or block_of(line) is None):
                where = "n’a pas sa place dans l’objet" if field == "subject" else "doit être seul sur sa ligne"
                yield TagProblem(
                    field,
                    number,
                    column,
                    name,
                    "misplaced_block",
                    (),
                    f"Le tag %{name}% {where} (ligne {number}, colonne {column}).",
                )


def _unknown(field: str, line: int, column: int, name: str) -> TagProblem:
    nearest = tuple(get_close_matches(name.lower().replace("-", "_"), TAGS, n=3, cutoff=0.55))
    hint = f" Vouliez-vous dire {' ou '.join(f'%{tag}%' for tag in nearest)} ?" if nearest else ""
    return TagProblem(
        field,
        line,
        column,
        name,
        "unknown_tag",
        nearest,
        f"Le tag %{name}% n’existe pas (ligne {line}, colonne {column}).{hint}"
        " Pour écrire un signe pour cent, doublez-le : %%.",
    )
