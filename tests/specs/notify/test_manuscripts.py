"""Texts as people write them: what is kept of the editor's HTML, and how it looks in mails, texts and letters."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.compiling import html_template
from services.notify.delivered import LEVELS, MEDIA, NAMES, Text, delivered
from services.notify.domain import Person
from services.notify.letters.layout import letter
from services.notify.manuscript import Block, Paragraph, clean, html_of, read
from services.notify.proofreading import left_out, problems
from services.notify.rendering import render
from tests.specs.notify.given import PERSON, SENDER, about, entry

RICH = (
    "<div>Bonjour <strong>%contact_name%</strong>,<br><br>Votre solde est de <em>%total%</em>.</div>"
    "<h1>Vos factures</h1><div>%tableau_comptable%</div>"
    "<ul><li>par virement</li><li>par <a href='https://payer.example/?a=1&amp;b=2'>carte</a></li></ul>"
    "<blockquote>Article 12</blockquote><ol><li>un</li><li>deux</li></ol>"
)


def shown(body: str, *, language: str = "fr", **facts: object) -> object:
    return render("Objet", body, about(entry("F1", "10"), **facts), language, "email", "html")


def test_the_editors_html_becomes_paragraphs_lists_and_blocks() -> None:
    parts = [(part.tag if isinstance(part, Block) else part.style) for part in read(RICH, "html").parts]
    assert parts == [
        "text", "text", "heading", "tableau_comptable", "bullet", "bullet", "quote", "number", "number",
    ]  # fmt: skip


def test_html_is_kept_clean_and_cleaning_it_again_changes_nothing() -> None:
    kept = clean(RICH)
    assert kept == (
        "<p>Bonjour <strong>%contact_name%</strong>,</p>\n<p>Votre solde est de <em>%total%</em>.</p>\n"
        "<h2>Vos factures</h2>\n<p>%tableau_comptable%</p>\n"
        '<ul>\n<li>par virement</li>\n<li>par <a href="https://payer.example/?a=1&amp;b=2">carte</a></li>\n</ul>\n'
        "<blockquote>Article 12</blockquote>\n<ol>\n<li>un</li>\n<li>deux</li>\n</ol>"
    )
    assert clean(kept) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>"),
        ('<p onclick="x()" style="color:red" class="k">a</p>', "<p>a</p>"),
        ('<a href="javascript:alert(1)">a</a>', "<p>a</p>"),
        ('<a href="java\tscript:alert(1)">a</a>', "<p>a</p>"),
        ('<a href="data:text/html,x">a</a>', "<p>a</p>"),
        ('<a href="//evil.example">a</a>', "<p>a</p>"),
        ('<img src=x onerror=alert(1)>a<svg onload="x()"></svg>', "<p>a</p>"),
        ("<iframe src='https://evil.example'>b</iframe>a", "<p>a</p>"),
        ("<form action=/x><button>a</button></form>", "<p>a</p>"),
        ("<table><tr><td>a</td></tr></table>", "<p>a</p>"),
        ("&lt;b&gt;a&lt;/b&gt;", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
        ("<p><b>a", "<p><strong>a</strong></p>"),
        ("a<!-- b -->", "<p>a</p>"),
        ('<a href="mailto:a@b.example">a</a>', '<p><a href="mailto:a@b.example">a</a></p>'),
    ],
)
def test_what_a_text_may_not_hold_is_taken_out(written: str, kept: str) -> None:
    assert clean(written) == kept


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/=\"'&;% \nabipulo\x01\x02{}*-!") | st.characters(), max_size=80))
def test_any_html_is_kept_as_html_that_is_kept_as_it_is(source: str) -> None:
    kept = clean(source)
    assert clean(kept) == kept
    assert "<script" not in kept.lower()


def test_a_mail_shows_lists_headings_and_links_and_its_text_tells_the_address() -> None:
    mail = shown(RICH)
    assert "<strong>Madame Giraud</strong>" in mail.html
    assert "<em>10,00\u00a0€</em>" in mail.html
    assert ">Vos factures</h2>" in mail.html
    assert 'href="https://payer.example/?a=1&amp;b=2"' in mail.html
    assert mail.text == (
        "Bonjour Madame Giraud,\n\nVotre solde est de 10,00\u00a0€.\n\nVos factures\n\n"
        "- F1 du 01/03/2026, échéance 05/04/2026 (3\u00a0j) : 10,00\u00a0€\nSomme due : 10,00\u00a0€\n\n"
        "- par virement\n- par carte (https://payer.example/?a=1&b=2)\n\n> Article 12\n\n1. un\n2. deux\n"
    )


def test_a_letter_shows_the_same() -> None:
    page = letter(Text("Objet", clean(RICH), form="html"), about(entry("F1", "10")), "fr")
    kinds = [(block["kind"], block.get("ordered")) for block in page["blocks"]]
    assert kinds == [
        ("text", None), ("text", None), ("text", None), ("table", None), ("list", False), ("text", None),
        ("list", True),
    ]  # fmt: skip
    assert page["blocks"][1]["lines"][0][1] == {"text": "10,00\u00a0€", "bold": False, "italic": True}
    assert page["blocks"][2]["lines"][0][0]["bold"] is True
    (_, (by_card,)) = page["blocks"][4]["items"]
    assert [run["text"].replace("\u200b", "") for run in by_card] == [
        "par ",
        "carte (https://payer.example/?a=1&b=2)",
    ]


def test_a_tag_that_is_written_in_two_hands_is_one_tag() -> None:
    """An editor may put half of it in bold."""
    body = "<p>Dû : %to<strong>tal%</strong> net</p>"
    assert problems("Objet", body, "html") == []
    assert shown(body).text == "Dû\u00a0: 10,00\u00a0€ net\n"


def test_mistakes_in_html_are_placed_where_the_writer_sees_them() -> None:
    body = "<div>Bonjour,<br><br>vous <em>devez</em> %totall%</div><ul><li>%pay%</li></ul>"
    found = [(one.code, one.tag, one.line, one.column) for one in problems("Objet", body, "html")]
    assert found == [("unknown_tag", "totall", 3, 12), ("misplaced_block", "pay", 4, 1)]
    assert "Did you mean %total%?" in problems("Objet", body, "html")[0].message_en


def test_a_button_to_the_clients_own_pages() -> None:
    """Rules 13.3, 13.8: left out where none are offered; the invoices are there where nothing else holds them."""
    body = "<p>%total%</p><p>%debtor_space%</p><p>%access_invoices%</p>"
    assert set(left_out(body, "html", SENDER)) == {"debtor_space", "access_invoices"}
    able = replace(SENDER, space_url="https://espace.example/d/abc")
    assert left_out(body, "html", able) == {}
    mail = shown(body, sender=able)
    assert mail.html.count('href="https://espace.example/d/abc"') == 2
    assert "Accéder à votre espace client : https://espace.example/d/abc" in mail.text
    apart = shown(body, sender=replace(able, invoices_url="https://factures.example"))
    assert "Accéder aux factures : https://factures.example" in apart.text


def test_a_button_without_an_address_is_left_out_and_the_reason_told() -> None:
    """Rule 13.3."""
    body = "<p>%total%</p><p>%pay%</p><p>%access_invoices%</p>"
    mail = shown(body)
    assert "href" not in mail.html
    assert set(left_out(body, "html", SENDER)) == {"pay", "access_invoices"}
    able = about(entry("F1", "10")).sender.__class__(
        **{name: getattr(SENDER, name) for name in SENDER.__slots__}
        | {"payment_url": "https://payer.example", "invoices_url": "https://factures.example"}
    )
    assert left_out(body, "html", able) == {}
    mail = shown(body, sender=able)
    assert 'href="https://payer.example"' in mail.html
    assert 'href="https://factures.example"' in mail.html
    assert "Accéder aux factures : https://factures.example" in mail.text


def test_a_line_without_a_value_leaves_no_gap_even_where_it_is_the_first() -> None:
    nobody = Person(PERSON.client_id, 1, "Diaz")
    body = "<p>%contact_name%<br>Ville</p><p>%tag1%</p><ul><li>%tag2%</li><li>a</li></ul>"
    mail = shown(body, person=nobody)
    assert mail.text == "Ville\n\n- a\n"
    assert ">Ville</p>" in mail.html
    assert "<br>" not in mail.html.partition("<body")[2].partition("Ville")[0].rpartition("</table>")[2]
    assert mail.html.count("<li") == 1


def test_a_text_that_was_never_checked_cannot_reach_the_engine() -> None:
    source = "a \x01 7*7 \x02 \x03 if x \x04 b"
    assert html_template(source).render().count("7*7") == 1
    assert "\x01" not in html_template(source).render()


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("name", NAMES)
def test_a_delivered_text_says_the_same_once_it_went_through_the_editor(name: str, medium: str) -> None:
    text = delivered(name, medium, "fr")
    assert text is not None
    html = html_of(read(text.body))
    assert problems(text.subject, html, "html") == []
    facts = {
        "kind": name if name in ("notice", "thanks") else "reminder",
        "step": name if name in LEVELS else "R1",
    }
    subjects = about(entry("F1", "10"), **facts)
    for language in ("fr", "en"):
        plain = render(text.subject, text.body, subjects, language)
        assert render(text.subject, html, subjects, language, "email", "html") == plain


def test_an_editors_spaces_are_spaces_and_french_signs_stay_with_their_word() -> None:
    assert clean("<p>Merci de régler&nbsp;<b>%total%</b> : <i>vite</i> ! 40 € et 3 % de «&nbsp;plus »</p>") == (
        "<p>Merci de régler <strong>%total%</strong>\u00a0: <em>vite</em>\u00a0! 40\u00a0€ et 3\u00a0% de"
        " «\u00a0plus\u00a0»</p>"
    )


def test_empty_paragraphs_say_nothing() -> None:
    assert problems("Objet", "<div><br></div><p>&nbsp;</p>", "html")[0].code == "empty"
    assert [part for part in read("<p>a</p><p><br></p><p>b</p>", "html").parts if isinstance(part, Paragraph)] == [
        *read("<p>a</p>", "html").parts,
        Paragraph("text", (read("<p>a</p><p><br></p><p>b</p>", "html").lines[2],)),
    ]
