"""A folder of PDFs becomes ZIPs that ledger takes (``relance documents upload``)."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cli import documents
from cli.documents import FolderUnreadable, upload_all


class Taking:
    """A ledger that takes everything, and remembers what came."""

    def __init__(self) -> None:
        self.bundles: list[tuple[list[str], list[dict[str, Any]]]] = []

    def upload_documents(self, bundle: Path) -> dict[str, Any]:
        with zipfile.ZipFile(bundle) as sent:
            items = json.loads(sent.read("metadata.json"))["documents"]
            self.bundles.append((sorted(set(sent.namelist()) - {"metadata.json"}), items))
        return {"results": [{"file": item["file"], "status": "attached"} for item in items]}


def sent(source: Path) -> Taking:
    road = Taking()
    upload_all(road, source, lambda _: None)  # type: ignore[arg-type]
    return road


def test_a_file_is_named_as_its_invoice(tmp_path: Path) -> None:
    for name in ("FA-1.pdf", "FA-2.PDF", "read me.txt"):
        (tmp_path / name).write_bytes(b"%PDF-1.7")
    ((names, items),) = sent(tmp_path).bundles
    assert names == ["FA-1.pdf", "FA-2.PDF"]
    assert items == [
        {"file": "FA-1.pdf", "invoice_number": "FA-1"},
        {"file": "FA-2.PDF", "invoice_number": "FA-2"},
    ]


def test_a_folder_may_say_itself_what_belongs_where(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.pdf").write_bytes(b"%PDF-1.7")
    items = [{"file": "sub/a.pdf", "entry_id": "a" * 32}, {"file": "gone.pdf", "entry_id": "b" * 32}]
    (tmp_path / "metadata.json").write_text(json.dumps({"documents": items}))
    assert sent(tmp_path).bundles == [(["sub/a.pdf"], items)], "what is missing is ledger's to say"


def test_many_files_go_in_several_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        (tmp_path / f"F{n}.pdf").write_bytes(b"%PDF-1.7" + bytes(92))
    monkeypatch.setattr(documents, "BUNDLE_BYTES", 200)
    assert [len(names) for names, _ in sent(tmp_path).bundles] == [2, 2, 1]


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (None, "holds no PDF"),
        ("{", "line 1"),
        ('{"files": []}', '"documents"'),
        ('[{"file": "../secret.pdf", "entry_id": "a"}]', "not in the folder"),
    ],
)
def test_a_folder_that_cannot_be_sent_says_why(tmp_path: Path, metadata: str | None, words: str) -> None:
    (tmp_path.parent / "secret.pdf").write_bytes(b"%PDF-1.7")
    if metadata is not None:
        (tmp_path / "metadata.json").write_text(metadata)
    with pytest.raises(FolderUnreadable, match=words):
        sent(tmp_path)
