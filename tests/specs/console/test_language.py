"""Every text is in both languages, and every icon of the templates is fetched."""

import ast
import re
from pathlib import Path

import pytest

from services.console import icons
from services.console.language import LANGUAGES, catalogue, texts, untranslated, words

CONSOLE = Path(icons.__file__).parent
TEMPLATES = CONSOLE / "templates"
WORDS_STAND_IN = ("vocabulary/codes.py", "vocabulary/__init__.py", "pages/home.py")
SAME_IN_BOTH = {
    "Score",
    "Scores",
    "Score %(score)s",
    "E-mails",
    "Application",
    "Exports",
    "Bancontact",
    "Google Workspace",
    "Microsoft 365",
    "Link",
    "%(n)s action",
    "%(n)s client",
    "%(n)s e-mail",
    "Actions",
    "Contacts",
    "Apostrophe",
    "Messages",
    "Simulation",
    "STARTTLS (port 587)",
    "Version %(version)s",
    "max.",
    "min.",
    "Versions",
    "Webhooks",
    "Client",
    "Clients",
    "Contact",
    "DSO %(days)s",
    "Document %(name)s",
    "Documents",
    "Date",
    "E-mail",
    "Import",
    "Journal",
    "Message",
    "Note",
    "Notes",
    "Pages",
    "Point",
    "Port",
    "Services",
    "Source",
    "Sources",
    "Synchronisation",
    "Table",
    "Total",
    "Type",
    "Version",
    "code %(code)s",
    "version %(version)s",
}
MARKS = {"_", "N_", "gettext", "ngettext", "pgettext"}
PLACES = re.compile(r"%\((\w+)\)s")
FRENCH_LETTERS = re.compile(r"[éèêëàâîïôûùçœ«»]", re.IGNORECASE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_from_a_catalogue(language: str) -> None:
    """Run ``python -m services.console.language`` after changing a text."""
    assert list(untranslated(language)) == []


def test_the_catalogues_hold_no_text_that_no_page_shows() -> None:
    shown = {message.id if isinstance(message.id, str) else message.id[0] for message in texts()}
    for language in LANGUAGES:
        held = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue(language)}
        assert held - shown == set()


def test_english_texts_are_not_french() -> None:
    for message in catalogue("en"):
        if not message.id:
            continue
        french = (message.id,) if isinstance(message.id, str) else message.id
        english = (message.string,) if isinstance(message.string, str) else message.string
        assert french[0] in SAME_IN_BOTH or french[0] != english[0]
        assert not any(FRENCH_LETTERS.search(text) for text in english), english


def test_translations_fill_the_same_places() -> None:
    for message in catalogue("en"):
        if isinstance(message.id, str) and message.id:
            assert set(PLACES.findall(message.id)) == set(PLACES.findall(message.string)), message.id


def test_zero_is_singular_in_french_and_plural_in_english() -> None:
    assert words("fr").ngettext("%(n)s client", "%(n)s clients", 0) == "%(n)s client"
    assert words("en").ngettext("%(n)s client", "%(n)s clients", 0) == "%(n)s clients"


def test_no_template_writes_a_text_without_translating_it() -> None:
    """Between tags only expressions, figures, marks and names stand, never a word."""
    allowed = {"Relance", "STOP", "CSV", "XLSX", "PDF", "/", "title", "name"}
    for template in TEMPLATES.glob("*.html"):
        source = template.read_text(encoding="utf-8")
        source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
        source = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", source, flags=re.DOTALL)
        texts_between = re.sub(r"<[^>]*>", "\n", source, flags=re.DOTALL)
        words_found = set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", texts_between))
        assert words_found - allowed == set(), template.name


def test_no_text_is_marked_inside_an_f_string() -> None:
    """Python 3.11 reads an f-string as one token: the text would be missed there, and stay French for all."""
    for module in CONSOLE.rglob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        calls = [call for string in strings for call in ast.walk(string) if isinstance(call, ast.Call)]
        texts_marked = [
            ast.unparse(call)
            for call in calls
            if ast.unparse(call.func).rpartition(".")[2] in MARKS
            and any(isinstance(given, ast.Constant | ast.JoinedStr) for given in call.args)
        ]
        assert texts_marked == [], module.name


def test_no_template_carries_a_style_or_a_script_of_its_own() -> None:
    """The content policy forbids them."""
    for template in TEMPLATES.glob("*.html"):
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|hx-on|javascript:", source), template.name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source)), template.name


def test_every_icon_that_is_named_is_fetched_and_no_other() -> None:
    sources = [path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html")]
    sources += [(CONSOLE / name).read_text(encoding="utf-8") for name in WORDS_STAND_IN]
    named = set(re.findall(r"[\"']([a-z][a-z0-9]*(?:-[a-z0-9]+)*)[\"']", "\n".join(sources)))
    called = set(re.findall(r"icon\('([a-z0-9-]+)'", "\n".join(sources)))
    assert called - set(icons.NAMES) == set()
    assert set(icons.NAMES) - named == set()
