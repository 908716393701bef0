"""Where the links to documents stand in a text (D2, rule 13.5)."""

from dataclasses import replace

from services.notify.blocks import html_blocks, text_blocks
from services.notify.delivered import Text, delivered
from services.notify.document_links import with_links
from services.notify.domain import LinkedDocument
from services.notify.manuscript import read
from tests.specs.notify.given import about, entry

LINK = LinkedDocument('F1 <b>"', "f1.pdf", "https://relance.example/d/abc/documents/1")


def test_links_stand_below_the_table_and_else_at_the_end() -> None:
    text = with_links(Text("S", "Bonjour,\n\n%tableau_comptable2%\n\nMerci\n"))
    assert text.body == "Bonjour,\n\n%tableau_comptable2%\n\n%documents%\n\n\nMerci\n"
    assert "documents" in read(text.body, "text").blocks
    html = with_links(Text("S", "<p>Bonjour</p><p>%tableau_comptable%</p><p>Merci</p>", form="html"))
    assert html.body == "<p>Bonjour</p><p>%tableau_comptable%</p><p>%documents%</p><p>Merci</p>"
    assert with_links(Text("S", "Bonjour")).body == "Bonjour\n\n%documents%\n"
    assert with_links(text) is text


def test_every_delivered_text_takes_them() -> None:
    for name in ("notice", "R1", "R5"):
        for language in ("fr", "en"):
            found = delivered(name, "email", language)
            assert found is not None
            assert "documents" in read(with_links(found).body, found.form).blocks


def test_a_link_is_one_line_and_inert_and_none_is_nothing() -> None:
    shown = replace(about(entry("F1", "100")), documents=(LINK,))
    assert text_blocks("%documents%", shown, "fr", "email")["documents"] == f"- {LINK.piece} : {LINK.url}"
    html = html_blocks("%documents%", shown, "fr", "email")["documents"]
    assert f'href="{LINK.url}"' in html
    assert "<b>" not in html
    bare = about(entry("F1", "100"))
    assert text_blocks("%documents%", bare, "fr", "email")["documents"] == ""
    assert html_blocks("%documents%", bare, "fr", "email")["documents"] == ""
    assert text_blocks("%documents%", bare, "fr", "letter")["documents"] == ""
