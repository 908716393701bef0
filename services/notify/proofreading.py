"""What keeps a text from being saved, with place, reason and remedy (rules 13.3, 13.5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from services.notify.domain import Sender
from services.notify.manuscript import CONTROLS, Form, Line, Piece, read, subject_line
from services.notify.tags import BLOCK_TAGS, NEEDS, NOT_YET, TAGS, Said


@dataclass(frozen=True, slots=True)
class TagProblem:
    """``line`` and ``column`` count from 1, as the writer sees the text; ``field`` is subject or body.

    ``message`` is French, ``message_en`` the same in English.
    """

    field: str
    line: int
    column: int
    tag: str
    code: str
    nearest: tuple[str, ...]
    message: str
    message_en: str


def problems(subject: str, body: str, form: Form = "text") -> list[TagProblem]:
    """Everything that keeps this template from being saved; empty when it may be."""
    lines = read(body, form).lines
    found = [*_problems_in("subject", [subject_line(subject)]), *_problems_in("body", lines)]
    if not subject.strip():
        found.insert(0, _whole("subject", "empty", "L’objet est vide.", "The subject is empty."))
    if "\n" in subject.strip():
        found.insert(0, _whole("subject", "lines", "L’objet tient sur une seule ligne.", "A subject is one line."))
    if all(line.is_blank for line in lines):
        found.append(_whole("body", "empty", "Le texte est vide.", "The text is empty."))
    return found


def _whole(field: str, code: str, fr: str, en: str) -> TagProblem:
    return TagProblem(field, 1, 1, "", code, (), fr, en)


def _problems_in(field: str, lines: Sequence[Line]) -> Iterator[TagProblem]:
    for line in lines:
        for piece in line.pieces:
            if piece.kind == "tag":
                yield from _problems_of(field, line, piece)
            else:
                yield from _strays(field, line, piece)


def _strays(field: str, line: Line, piece: Piece) -> Iterator[TagProblem]:
    for stray in CONTROLS.finditer(piece.value):
        column = piece.column + stray.start()
        said = Said(
            f"Un caractère invisible se trouve ligne {line.number}, colonne {column} : supprimez-le.",
            f"An invisible character stands at line {line.number}, column {column}: take it out.",
        )
        yield TagProblem(field, line.number, column, "", "control_character", (), said.fr, said.en)


def _problems_of(field: str, line: Line, piece: Piece) -> Iterator[TagProblem]:
    name, place = piece.value, (line.number, piece.column)
    fr, en = f"(ligne {place[0]}, colonne {place[1]})", f"(line {place[0]}, column {place[1]})"
    if name in NOT_YET:
        said = NOT_YET[name]
        yield TagProblem(
            field, *place, name, "unavailable_tag", ("access_invoices",), f"{said.fr} {fr}", f"{said.en} {en}"
        )
    elif name not in TAGS:
        nearest = tuple(get_close_matches(name.lower().replace("-", "_"), TAGS, n=3, cutoff=0.55))
        shown = [f"%{tag}%" for tag in nearest]
        said = Said(
            f"Le tag %{name}% n’existe pas {fr}."
            + (f" Vouliez-vous dire {' ou '.join(shown)} ?" if shown else "")
            + " Pour écrire un signe pour cent, doublez-le : %%.",
            f"The tag %{name}% does not exist {en}."
            + (f" Did you mean {' or '.join(shown)}?" if shown else "")
            + " To write a percent sign, double it: %%.",
        )
        yield TagProblem(field, *place, name, "unknown_tag", nearest, said.fr, said.en)
    elif name in BLOCK_TAGS and (field == "subject" or line.block is None):
        where = (
            Said("n’a pas sa place dans l’objet", "has no place in a subject")
            if field == "subject"
            else Said("doit être seul sur sa ligne", "must be alone on its line")
        )
        yield TagProblem(
            field,
            *place,
            name,
            "misplaced_block",
            (),
            f"Le tag %{name}% {where.fr} {fr}.",
            f"The tag %{name}% {where.en} {en}.",
        )


def left_out(body: str, form: Form, sender: Sender) -> dict[str, Said]:
    """Tags of a sound text that show nothing with this sender, and why: a button is never a dead link (13.3)."""
    used = read(body, form).tags
    return {
        tag: said
        for tag, (members, said) in NEEDS.items()
        if tag in used and not any(getattr(sender, member) for member in members)
    }
