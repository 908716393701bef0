"""A folder of invoices as ZIPs that ledger takes: as many as its limits ask for."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.road import Json, Road
from cli.stack import Report

METADATA = "metadata.json"
BUNDLE_BYTES = 60 << 20
BUNDLE_FILES = 1_000


class FolderUnreadable(Exception):
    """What is in the folder cannot be sent; the text says why."""


def upload_all(road: Road, source: Path, report: Report) -> list[Json]:
    """Send a ZIP as it is, or a folder in one ZIP or several; what became of each item. Raises
    ``FolderUnreadable`` and ``RoadBlocked``."""
    if source.is_file():
        results: list[Json] = road.upload_documents(source)["results"]
        return results
    results = []
    with tempfile.TemporaryDirectory(prefix="relance-documents-") as folder:
        bundle = Path(folder) / "documents.zip"
        for part in _parts(source, _items(source)):
            with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as made:
                made.writestr(METADATA, json.dumps({"documents": part}))
                for name in {item["file"] for item in part}:
                    if (source / name).is_file():
                        made.write(source / name, name)
            report(f"sending {len(part)} documents")
            results += road.upload_documents(bundle)["results"]
    return results


def _items(source: Path) -> list[Json]:
    """What the folder's own metadata.json says, else every PDF under the number that is its name."""
    told = source / METADATA
    if told.is_file():
        try:
            found: Any = json.loads(told.read_text(encoding="utf-8"))
        except ValueError as unreadable:
            raise FolderUnreadable(f"{told}: {unreadable}") from unreadable
        items = found.get("documents") if isinstance(found, dict) else found
        if not isinstance(items, list) or not all(
            isinstance(item, dict) and isinstance(item.get("file"), str) for item in items
        ):
            raise FolderUnreadable(f'{told}: it is {{"documents": [{{"file": …, "entry_id": …}}]}}')
        outside = [
            item["file"]
            for item in items
            if not (source / item["file"]).resolve().is_relative_to(source.resolve())
        ]
        if outside:
            raise FolderUnreadable(f"{told}: {outside[0]} is not in the folder")
        return items
    files = sorted(file for file in source.iterdir() if file.suffix.lower() == ".pdf" and file.is_file())
    if not files:
        raise FolderUnreadable(f"{source} holds no PDF")
    return [{"file": file.name, "invoice_number": file.stem} for file in files]


def _parts(source: Path, items: list[Json]) -> Iterator[list[Json]]:
    part: list[Json] = []
    size = 0
    for item in items:
        file = source / item["file"]
        grown = file.stat().st_size if file.is_file() else 0
        if part and (len(part) >= BUNDLE_FILES or size + grown > BUNDLE_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += grown
    if part:
        yield part
