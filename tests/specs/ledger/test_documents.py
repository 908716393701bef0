"""A ZIP of documents is looked into without trusting it; each item is named in metadata.json (rule 19.6)."""

import io
import json
import zipfile
from uuid import UUID

import pytest

from contracts.ledger import DocumentAttached, DocumentRemoved, PersonErased
from services.ledger.documents import bundle as bundles
from services.ledger.documents.bundle import MEGABYTE, Bundle, BundleRefused, FileRefused, Limits
from services.ledger.documents.naming import Item, Unreadable, items_of
from services.ledger.domain import (
    AttachDocument,
    ClientState,
    Document,
    ErasePerson,
    RemoveDocument,
    decide,
    evolve,
)
from services.ledger.domain.refusals import UnknownDocument, UnknownEntry
from tests.specs.ledger.given import CLIENT, DAY, INVOICE, entry

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
LIMITS = Limits(document=MEGABYTE, bundle=2 * MEGABYTE)


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as made:
        for name, content in files.items():
            made.writestr(name, content)
    file.seek(0)
    return file


def refused(file: io.BytesIO) -> str:
    with pytest.raises(BundleRefused) as told:
        Bundle(file, LIMITS).metadata()
    assert told.value.remedy
    return told.value.code


def test_what_is_no_zip_is_refused_whole() -> None:
    assert refused(io.BytesIO(b"")) == "bundle-unreadable"
    assert refused(io.BytesIO(PDF)) == "bundle-unreadable"
    whole = zipped({"metadata.json": b"{}", "a.pdf": PDF}).getvalue()
    assert refused(io.BytesIO(whole[: len(whole) // 2])) == "bundle-unreadable"
    assert refused(zipped({"a.pdf": PDF})) == "metadata-missing"


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = zipped({"metadata.json": b"{}", **{f"{n}.pdf": PDF + bytes(MEGABYTE - 100) for n in range(3)}})
    assert len(bomb.getvalue()) < MEGABYTE // 10
    assert refused(bomb) == "bundle-unpacks-too-much"


def test_a_file_larger_than_the_zip_says_is_refused_while_it_is_read() -> None:
    """Its stated size is a lie: read to its end, it would not be."""
    content = zipped({"metadata.json": b"{}", "a.pdf": PDF + bytes(4 * MEGABYTE)}, zipfile.ZIP_DEFLATED).getvalue()
    true, stated = (len(PDF) + 4 * MEGABYTE).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert content.count(true) == 2
    lying = Bundle(io.BytesIO(content.replace(true, stated)), LIMITS)
    with pytest.raises(FileRefused) as told:
        lying.look_at("a.pdf")
    assert told.value.code == "file-damaged"


def test_a_list_of_files_that_is_far_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    many = zipped({f"{n}": b"" for n in range(60)})
    monkeypatch.setattr(bundles, "MOST_FILES", 50)
    assert refused(many) == "bundle-too-many-files"
    monkeypatch.setattr(bundles, "LARGEST_DIRECTORY", 1000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert refused(many) == "bundle-too-many-files"


@pytest.mark.parametrize(
    ("files", "name", "code"),
    [
        ({"a.pdf": b"MZ\x90\x00 not a document"}, "a.pdf", "not-a-pdf"),
        ({"a.pdf": b""}, "a.pdf", "not-a-pdf"),
        ({"a.pdf": bytes(2000) + PDF}, "a.pdf", "not-a-pdf"),
        ({"a.pdf": PDF + bytes(MEGABYTE)}, "a.pdf", "file-too-large"),
        ({"sub/a.pdf": PDF}, "a.pdf", "file-missing"),
    ],
)
def test_a_file_that_is_no_pdf_of_ours_is_refused_alone(files: dict[str, bytes], name: str, code: str) -> None:
    with pytest.raises(FileRefused) as told:
        Bundle(zipped({"metadata.json": b"{}", **files}), LIMITS).look_at(name)
    assert told.value.code == code
    assert name in str(told.value)


def test_an_encrypted_file_and_two_of_one_name_are_refused() -> None:
    plain = zipped({"metadata.json": b"{}", "a.pdf": PDF}).getvalue()
    at = plain.index(b"PK\1\2", plain.index(b"PK\1\2") + 1)
    flagged = Bundle(io.BytesIO(plain[: at + 8] + b"\1" + plain[at + 9 :]), LIMITS)
    with pytest.raises(FileRefused, match="encrypted"):
        flagged.look_at("a.pdf")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("a.pdf", PDF)
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("a.pdf", PDF + b"other")
    with pytest.raises(FileRefused, match="2 files"):
        Bundle(file, LIMITS).look_at("a.pdf")


def test_the_same_content_has_the_same_digest_whatever_its_name() -> None:
    made = Bundle(zipped({"a.pdf": PDF, "b.pdf": PDF, "c.pdf": b"\xef\xbb\xbf" + PDF}), LIMITS)
    assert made.look_at("a.pdf") == made.look_at("b.pdf") != made.look_at("c.pdf")
    assert made.content("a.pdf") == PDF


def test_items_are_read_one_by_one_and_what_is_wrong_is_named() -> None:
    told = [
        {"file": "a.pdf", "entry_id": "a" * 32},
        {"file": "b.pdf", "invoice_number": "F2", "client_id": "C1"},
        {"file": "c.pdf"},
        {"file": "d.pdf", "entry_id": "not hexadecimal"},
        "e.pdf",
    ]
    good, by_number, nothing, not_hex, no_item = items_of(json.dumps({"documents": told}).encode())
    assert isinstance(good, Item)
    assert isinstance(by_number, Item)
    assert by_number.client_id == "C1"
    for item, words in ((nothing, "either entry_id"), (not_hex, "documents.3.entry_id"), (no_item, "documents.4")):
        assert isinstance(item, Unreadable)
        assert words in item.sentence
    assert items_of(json.dumps(told).encode())[0] == good, "a bare list is read as well"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"documents": [\n {"file": }]}', "line 2, column 11"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'{"files": []}', "documents"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_metadata_that_cannot_be_read_says_where(text: bytes, words: str) -> None:
    with pytest.raises(BundleRefused) as told:
        items_of(text)
    assert told.value.code == "metadata-unreadable"
    assert words in str(told.value)


KNOWN = ClientState(CLIENT, entries={INVOICE: entry()})
DOCUMENT = Document(UUID(int=7), INVOICE, "0" * 64, 9)


def test_a_document_is_attached_once_and_taken_away_once() -> None:
    (attached,) = decide(KNOWN, AttachDocument(DOCUMENT), DAY)
    assert isinstance(attached, DocumentAttached)
    after = evolve(KNOWN, attached)
    assert decide(after, AttachDocument(DOCUMENT), DAY) == []
    (removed,) = decide(after, RemoveDocument(DOCUMENT.document_id), DAY)
    assert removed == DocumentRemoved(document_id=DOCUMENT.document_id, client_id=CLIENT, entry_id=INVOICE)
    assert after.documents == {DOCUMENT.document_id: DOCUMENT}
    with pytest.raises(UnknownDocument) as told:
        decide(evolve(after, removed), RemoveDocument(DOCUMENT.document_id), DAY)
    assert told.value.document_id == DOCUMENT.document_id
    with pytest.raises(UnknownEntry):
        decide(ClientState(CLIENT), AttachDocument(DOCUMENT), DAY)


def test_documents_go_with_an_erased_person() -> None:
    (attached,) = decide(KNOWN, AttachDocument(DOCUMENT), DAY)
    said = decide(evolve(KNOWN, attached), ErasePerson(), DAY)
    assert [type(event) for event in said] == [DocumentRemoved, PersonErased]
