"""Tags of templates (rule 13.5): an unknown one is refused when the text is saved, and never leaves raw."""

import pytest
from jinja2 import UndefinedError

from services.notify.compiling import UnknownTag, html_template, text_template
from services.notify.delivered import LEVELS, MEDIA, NAMES, Key, TemplateMissing, Text, choose, delivered
from services.notify.domain import Person
from services.notify.proofreading import problems
from services.notify.rendering import render
from services.notify.tags import TAGS
from tests.specs.notify.given import PERSON, about, entry


def codes(subject: str, body: str) -> list[tuple[str, str, int, int]]:
    return [(found.field, found.code, found.line, found.column) for found in problems(subject, body)]


def test_every_tag_of_the_rule_exists() -> None:
    """Rule 13.5."""
    named = {
        *("client_name", "client_code", "client_address", "contact_name"),
        *("total", "total_overdue", "total_upcoming", "level", "oldest_due_date", "max_days_late"),
        *("invoice_list", "tableau_comptable", "tableau_comptable1", "tableau_comptable2", "tableau_comptable3"),
        *("penalties", "fixed_indemnity", "sender_name", "sender_email", "sender_phone"),
        *("company_name", "company_address", "today", "salesperson", "access_invoices", "pay", "debtor_space"),
        "documents",
    }
    assert set(TAGS) == {*named, *(f"tag{number}" for number in range(1, 11))}


def test_an_unknown_tag_is_named_with_its_place_and_the_nearest_ones() -> None:
    (found,) = problems("Rappel", "Bonjour,\n\nvous devez %totall% euros.")
    assert (found.tag, found.line, found.column) == ("totall", 3, 12)
    assert found.nearest == ("total",)
    assert found.message.startswith(
        "Le tag %totall% n’existe pas (ligne 3, colonne 12). Vouliez-vous dire %total% ?"
    )


@pytest.mark.parametrize("tag", ["client-name", "société", "total.__class__", "TOTAL", "tag11", "a[0]"])
def test_whatever_stands_between_two_percent_signs_is_a_tag(tag: str) -> None:
    assert codes("Rappel", f"%{tag}%") == [("body", "unknown_tag", 1, 1)]
    with pytest.raises(UnknownTag):
        text_template(f"avant %{tag}% après").render()
    with pytest.raises(UnknownTag):
        html_template(f"%{tag}%").render()


def test_a_percent_sign_is_a_percent_sign() -> None:
    assert problems("10 %% de remise", "3 % par mois, 5 % par an, 100%") == []
    assert text_template("10 %% et %%total%%").render() == "10 % et %total%"


def test_a_table_stands_alone_on_its_line_and_never_in_a_subject() -> None:
    assert codes("%tableau_comptable%", "voici %pay% !") == [
        ("subject", "misplaced_block", 1, 1),
        ("body", "misplaced_block", 1, 7),
    ]
    assert codes("Rappel", "  %tableau_comptable2%  ") == []


def test_an_empty_text_is_refused() -> None:
    assert codes(" ", "") == [("subject", "empty", 1, 1), ("body", "empty", 1, 1)]
    assert codes("Rappel\nBcc: x", "a") == [("subject", "lines", 1, 1)]


def test_what_a_user_writes_is_never_code() -> None:
    written = "{{ 7 * 7 }} {% for x in y %} {# note #} <script>alert(1)</script> \x01total\x02"
    assert [found.code for found in problems("Rappel", written)] == ["control_character"] * 2
    shown = render("{{ 7*7 }}", "{{ 7 * 7 }} <script>alert(1)</script>", about(entry("F1", "10")), "fr")
    assert shown.subject == "{{ 7*7 }}"
    assert shown.text == "{{ 7 * 7 }} <script>alert(1)</script>\n"
    assert "{{ 7 * 7 }} &lt;script&gt;alert(1)&lt;/script&gt;" in shown.html
    with pytest.raises(UndefinedError):
        text_template("%total%").render()


def test_what_a_client_is_called_is_never_markup() -> None:
    person = Person("C<1>", 1, "<b>Diaz</b> %total% {{ x }}")
    shown = render("%client_name%", "**%client_name%**", about(entry("F1", "10"), person=person), "fr")
    assert shown.subject == "<b>Diaz</b> %total% {{ x }}"
    assert "&lt;b&gt;Diaz&lt;/b&gt; %total% {{ x }}" in shown.html
    assert "C&lt;1&gt;" in shown.html


def test_a_tag_without_a_value_takes_its_space_and_its_line_along() -> None:
    nobody = Person(PERSON.client_id, 1, "Diaz")
    subjects = about(entry("F1", "10"), person=nobody)
    shown = render("x", "Bonjour %contact_name%,\n\n%salesperson%\nVille\n%tag1% · %client_code%", subjects, "fr")
    assert shown.text == "Bonjour,\n\nVille\n411DIAZ\n"


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("name", NAMES)
def test_every_delivered_template_is_sound_and_says_the_amount(name: str, medium: str, language: str) -> None:
    text = delivered(name, medium, language)
    assert text is not None
    assert problems(text.subject, text.body) == []
    kind = name if name in ("notice", "thanks") else "reminder"
    shown = render(
        text.subject,
        text.body,
        about(entry("FAC1", "1250.40"), kind=kind, step=name),
        language,
        "letter" if medium == "letter" else "email",
    )
    assert "FAC1" in shown.text
    assert "%" not in shown.text + shown.subject
    assert "None" not in shown.html


def test_every_level_has_words_of_its_own() -> None:
    """Rule 4.4: up to seven reminders."""
    assert LEVELS == ("R1", "R2", "R3", "R4", "R5", "R6", "R7")
    for medium in MEDIA:
        for language in ("fr", "en"):
            said = {text.body for level in LEVELS if (text := delivered(level, medium, language))}
            assert len(said) == len(LEVELS)


@pytest.mark.parametrize("medium", MEDIA)
def test_the_formal_notice_says_so_names_the_debt_the_delay_and_the_law(medium: str) -> None:
    """Article 1344 of the French civil code: an act that calls upon the debtor sufficiently. The last of the five
    delivered steps is one; a shorter scenario names the template ``formal_notice``."""
    last, alone = delivered("R5", medium, "fr"), delivered("formal_notice", medium, "fr")
    assert last is not None
    assert alone is not None
    assert (last.subject, last.body) == (alone.subject, alone.body)
    assert "Mise en demeure" in last.subject
    for needed in ("met en demeure", "%total%", "%tableau_comptable", "huit jours", "1344", "L441-10", "1231-6"):
        assert needed in last.body
    before = delivered("R1", medium, "fr")
    assert before is not None
    assert "demeure" not in before.body


def test_the_companys_own_text_comes_before_the_delivered_one_and_the_steps_name_before_its_level() -> None:
    """Rule 13.1."""
    own = {
        Key("R1", "email", "fr"): Text("A", "a", own=True),
        Key("doux", "email", "fr"): Text("B", "b", own=True),
    }
    assert choose(own, None, "R1", "email", "fr")[0].subject == "A"
    assert choose(own, "doux", "R1", "email", "fr")[0].subject == "B"
    assert choose(own, "doux", "R1", "email", "en") == (Text("B", "b", own=True), "fr")
    assert choose(own, "gone", "R1", "email", "fr")[0].subject == "A"
    assert choose({}, None, "R1", "email", "en")[1] == "en"
    with pytest.raises(TemplateMissing):
        choose({}, None, "R1", "phone", "fr")
