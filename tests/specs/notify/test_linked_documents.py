"""What a message calls a document that it links to: by what it is, not by what most are."""

import pytest

from services.notify.blocks import _draw
from services.notify.domain import LinkedDocument


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("facture.pdf", "PDF"),
        ("plan.PNG", "PNG"),
        ("photo.jpeg", "JPEG"),
        ("bon", ""),
        ("F.2026", ""),
        ("lu.", ""),
    ],
)
def test_a_document_is_of_the_form_that_its_name_tells(name: str, form: str) -> None:
    assert LinkedDocument("FAC1", name, "https://x.example/d").form == form


def test_only_what_is_a_pdf_is_called_one() -> None:
    documents = [LinkedDocument("FAC1", name, "https://x.example/d") for name in ("a.pdf", "b.png", "c")]
    shown = _draw("fr", "documents.html.j2", documents=documents)
    assert [shown.count(words) for words in ("FAC1 (PDF)", "FAC1 (PNG)", "FAC1</a>")] == [1, 1, 1]
