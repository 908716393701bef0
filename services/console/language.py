"""The languages of the pages. French is written in the templates; English is its translation.

``python -m services.console.language`` reads the templates and the code again and brings ``locale/*/console.po``
up to date; ``--check`` only says whether they are.
"""

import argparse
import gettext
import io
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from services.console.formatting import NO_BREAK

HERE = Path(__file__).parent
LANGUAGES = ("fr", "en")
DEFAULT_LANGUAGE = "fr"
NAMES = {"fr": "Français", "en": "English"}
_HEADER = """msgid ""
msgstr ""
"Language: {}\\n"
"Plural-Forms: {}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
_WIDE = re.compile(r" ([?!:;»]|%(?!\())")


def with_french_spaces(text: str) -> str:
    """No line may break before ``? ! : ; »`` nor after ``«``."""
    return _WIDE.sub(NO_BREAK + r"\1", text).replace("« ", "«" + NO_BREAK)


class Words:
    """The texts of one language, as gettext's functions. Names in ``%(name)s`` are filled in by the caller."""

    def __init__(self, language: str) -> None:
        self.language = language
        compiled = io.BytesIO()
        write_mo(compiled, catalogue(language))
        compiled.seek(0)
        self._translations = gettext.GNUTranslations(compiled)

    def gettext(self, text: str) -> str:
        return self._spaced(self._translations.gettext(text))

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self._spaced(self._translations.ngettext(one, many, number))

    def pgettext(self, context: str, text: str) -> str:
        return self._spaced(self._translations.pgettext(context, text))

    def npgettext(self, context: str, one: str, many: str, number: int) -> str:
        return self._spaced(self._translations.npgettext(context, one, many, number))

    def _spaced(self, text: str) -> str:
        return with_french_spaces(text) if self.language == "fr" else text


def _path(language: str) -> Path:
    return HERE / "locale" / language / "console.po"


def catalogue(language: str) -> Catalog:
    """The catalogue as it is committed."""
    with _path(language).open("rb") as source:
        return read_po(source, locale=language, domain="console")


@cache
def words(language: str) -> Words:
    return Words(language)


def texts() -> Catalog:
    """Every text that the templates and the code mark for translation."""
    found = Catalog(domain="console", project="Relance console", version="1", charset="utf-8")
    method_map = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
    options = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
    keywords = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
    for name, _line, message, _comments, context in extract_from_dir(
        str(HERE), method_map, options, keywords=keywords, directory_filter=_ours
    ):
        found.add(message, locations=[(name, 1)], context=context)
    return found


def _ours(directory: str) -> bool:
    return Path(directory).name not in {"node_modules", "vendor", "__pycache__", "locale", "migrations"}


def N_(text: str) -> str:  # noqa: N802 - gettext's usual name for "translated later"
    """Marks a text that is translated where it is shown."""
    return text


def _brought_up_to_date(language: str, template: Catalog) -> Catalog:
    made = Catalog(locale=language, domain="console", project="Relance console", version="1", fuzzy=False)
    known = catalogue(language) if _path(language).exists() else made
    known.update(template, no_fuzzy_matching=True)
    known.obsolete.clear()
    if language == "fr":
        for message in known:
            if message.id:
                message.string = message.id
    return known


def _written(found: Catalog) -> bytes:
    target = io.BytesIO()
    write_po(target, found, sort_output=True, omit_header=True, no_location=True, width=110)
    return _HEADER.format(found.locale, found.plural_forms).encode() + target.getvalue()


def untranslated(language: str) -> Iterator[str]:
    """The texts that the catalogue does not hold in ``language``."""
    known = catalogue(language)
    for message in texts():
        if not message.id:
            continue
        held = known.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        strings = held.string if held else ""
        complete = all(strings) if isinstance(strings, list | tuple) else bool(strings)
        if not complete or (held and held.fuzzy):
            yield message.id if isinstance(message.id, str) else message.id[0]


def main() -> int:
    parser = argparse.ArgumentParser(description="Brings the catalogues of texts up to date with the templates.")
    parser.add_argument("--check", action="store_true", help="Change nothing; fail when something is missing.")
    options = parser.parse_args()
    if not options.check:
        for language in LANGUAGES:
            _path(language).parent.mkdir(parents=True, exist_ok=True)
            _path(language).write_bytes(_written(_brought_up_to_date(language, texts())))
    missing = [f"{language}: {text}" for language in LANGUAGES for text in untranslated(language)]
    sys.stdout.write("".join(f"{line}\n" for line in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
