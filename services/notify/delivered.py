"""The templates that come with the product, and which template an action's message is written with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from services.notify.attachments import File
from services.notify.formats import LOCALES, Medium
from services.notify.manuscript import Form
from services.notify.tags import Said

Kind = Literal["notice", "reminder", "thanks"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS = tuple(f"R{number}" for number in range(1, 8))
FORMAL_NOTICE = "formal_notice"
"""The formal notice to pay by itself: for a last step that comes before R5, where the steps' own one stands."""
NAMES = ("notice", *LEVELS, FORMAL_NOTICE, "thanks")
"""The templates every company has: one per level, the notice, the thank-you (rule 13.1). Own ones may be added."""

MEDIA: tuple[Medium, ...] = ("email", "letter")
TITLES: Mapping[str, Said] = {
    "notice": Said("Prévenance", "Advance notice"),
    **{level: Said(f"Relance {level}", f"Reminder {level}") for level in LEVELS},
    FORMAL_NOTICE: Said("Mise en demeure", "Formal notice"),
    "thanks": Said("Remerciement", "Thank-you"),
}

_FOLDER = Path(__file__).parent / "templates"


def kind_of(name: str) -> Kind:
    """What a delivered template is for; one of a company's own says so itself."""
    return "notice" if name == "notice" else "thanks" if name == "thanks" else "reminder"


def level_of(name: str) -> int | None:
    """1 to 7 for the template of a level."""
    return int(name[1:]) if name in LEVELS else None


@dataclass(frozen=True, slots=True)
class Key:
    """What names a template inside a company."""

    name: str
    medium: str
    language: str


@dataclass(frozen=True, slots=True)
class WrittenWith:
    """The template that a message was written with, as it is kept beside it: a company's version, or 0 for the
    delivered text."""

    name: str
    language: str
    version: int


def written_with(found: Sequence[WrittenWith | None]) -> dict[str, list[str | None] | list[int | None]]:
    """As the columns of messages and letters take it."""
    return {
        "templates": [None if one is None else one.name for one in found],
        "template_languages": [None if one is None else one.language for one in found],
        "template_versions": [None if one is None else one.version for one in found],
    }


@dataclass(frozen=True, slots=True)
class Text:
    """A template as it is written, with its tags. ``own`` tells a company's text from a delivered one.

    ``name`` is empty for what a person wrote for one message.
    """

    subject: str
    body: str
    own: bool = False
    form: Form = "text"
    name: str = ""
    version: int = 0

    def written_with(self, language: str) -> WrittenWith | None:
        return WrittenWith(self.name, language, self.version) if self.name else None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person wrote for a message, in place of the template and of what is usual (rule 9.1).

    ``None`` leaves what is usual: the template, the recipients of rule 19.1, the company as sender, the client's
    own address.
    """

    text: Text | None = None
    to: tuple[str, ...] | None = None
    copies: tuple[str, ...] | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    address: tuple[str, ...] | None = None
    files: tuple[File, ...] = ()
    attach_invoices: bool | None = None


class TemplateMissing(LookupError):
    """Neither the company nor the product has a template for this action."""

    def __init__(self, name: str, medium: str) -> None:
        super().__init__(f"no template {name} for {medium}")
        self.name = name
        self.medium = medium


@cache
def delivered(name: str, medium: str, language: str) -> Text | None:
    """A template of the product; ``None`` when it has none of this name, medium and language."""
    if name not in NAMES or medium not in MEDIA or language not in LOCALES:
        return None
    # a last step before R5 asks in the words in which R5 does
    file = "R5" if name == FORMAL_NOTICE else name
    head, _, body = (_FOLDER / language / medium / f"{file}.txt").read_text("utf-8").partition("\n\n")
    return Text(head.removeprefix("Subject:").strip(), body.strip() + "\n", name=name)


def choose(own: Mapping[Key, Text], name: str | None, step: str, medium: str, language: str) -> tuple[Text, str]:
    """The text to write with, and its language.

    First the template that the step names, then the one of its level; in the client's language, then in French;
    each time the company's own before the delivered one. Raises ``TemplateMissing``.
    """
    for candidate in dict.fromkeys([name or step, step]):
        for tried in dict.fromkeys([language, "fr"]):
            found = own.get(Key(candidate, medium, tried)) or delivered(candidate, medium, tried)
            if found is not None:
                return found, tried
    raise TemplateMissing(name or step, medium)
