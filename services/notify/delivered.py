"""The templates that come with the product, and which template an action's message is written with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.notify.formats import LOCALES, Medium

LEVELS = tuple(f"R{number}" for number in range(1, 8))
NAMES = ("notice", *LEVELS, "thanks")
"""The templates every company has: one per level, the notice, the thank-you (rule 13.1). Own ones may be added."""

MEDIA: tuple[Medium, ...] = ("email", "letter")
LAST_DELIVERED_LEVEL = "R5"

_FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Key:
    """What names a template inside a company."""

    name: str
    medium: str
    language: str


@dataclass(frozen=True, slots=True)
class Text:
    """A template as it is written, with its tags. ``own`` tells a company's text from a delivered one."""

    subject: str
    body: str
    own: bool = False


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


class TemplateMissing(LookupError):
    """Neither the company nor the product has a template for this action."""

    def __init__(self, name: str, medium: str) -> None:
        super().__init__(f"no template {name} for {medium}")
        self.name = name
        self.medium = medium


@cache
def delivered(name: str, medium: str, language: str) -> Text | None:
    """A template of the product. Levels past the last one written say what that one says."""
    file = LAST_DELIVERED_LEVEL if name in LEVELS and name > LAST_DELIVERED_LEVEL else name
    if file not in NAMES or medium not in MEDIA or language not in LOCALES:
        return None
    head, _, body = (_FOLDER / language / medium / f"{file}.txt").read_text("utf-8").partition("\n\n")
    return Text(head.removeprefix("Subject:").strip(), body.strip() + "\n")


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
