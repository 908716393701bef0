"""The file, or folder, in which a company travels: a manifest, and files whose digests it tells.

::

    manifest.json                    what is in here, what is not, and the SHA-256 of every other file
    events/<speaker>/p07.jsonl       what a service said of the company, in the order of one partition
    rows/<service>/<table>.jsonl     what a service keeps of it, a JSON object per row
    files/<sha256>                   invoices, letters, mails as they left, each once
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, cast

FORMAT = "relance-company"
VERSION = 1
MANIFEST = "manifest.json"
PART = 1 << 20
TOLD = frozenset({"company", "schemas", "derivations", "events", "rows", "left_out", "archive", "files"})
"""What every manifest tells of."""


class BundleExists(Exception):
    """There is something where the export should go."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists: name another place, so that nothing is written over")


class BundleUnreadable(Exception):
    """What was given is no export of a company, or of a version that is not known here."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path}: {why}")


class _Place(Protocol):
    def create(self, name: str) -> IO[bytes]: ...

    def open(self, name: str) -> IO[bytes]: ...

    def names(self) -> list[str]: ...


class _Zip:
    def __init__(self, file: zipfile.ZipFile) -> None:
        self.file = file

    def create(self, name: str) -> IO[bytes]:
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        return self.file.open(entry, "w", force_zip64=True)

    def open(self, name: str) -> IO[bytes]:
        return self.file.open(name)

    def names(self) -> list[str]:
        return [one.filename for one in self.file.infolist() if not one.is_dir()]


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, name: str) -> IO[bytes]:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("xb")

    def open(self, name: str) -> IO[bytes]:
        return (self.folder / name).open("rb")

    def names(self) -> list[str]:
        return [str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file()]


@dataclass
class Writing:
    """A bundle that is being written; ``files`` grows into the manifest's."""

    place: _Place
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def lines(self, name: str) -> Iterator[Lines]:
        """A file of one JSON object per line; it is there even when nothing is written into it."""
        with self.place.create(name) as output:
            written = Lines(output)
            yield written
        self.files[name] = {"sha256": written.digest.hexdigest(), "bytes": written.bytes, "lines": written.count}

    def content(self, content: bytes) -> str:
        """Keep a file, each content once; answers its digest."""
        digest = hashlib.sha256(content).hexdigest()
        name = f"files/{digest}"
        if name not in self.files:
            with self.place.create(name) as output:
                output.write(content)
            self.files[name] = {"sha256": digest, "bytes": len(content)}
        return digest

    def manifest(self, told: dict[str, Any]) -> None:
        """The last file: nothing that lacks it is an export."""
        whole = {"format": FORMAT, "version": VERSION, **told, "files": dict(sorted(self.files.items()))}
        with self.place.create(MANIFEST) as output:
            output.write((json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode())


class Lines:
    def __init__(self, output: IO[bytes]) -> None:
        self.output = output
        self.digest = hashlib.sha256()
        self.bytes = 0
        self.count = 0

    def write(self, line: str) -> None:
        """One JSON object, without its end of line."""
        written = line.encode() + b"\n"
        self.output.write(written)
        self.digest.update(written)
        self.bytes += len(written)
        self.count += 1


@contextmanager
def written(path: Path) -> Iterator[Writing]:
    """A new bundle at ``path``: a ZIP file where its name ends so, else a folder. What fails leaves nothing
    behind, and nobody but the owner may read it. Raises ``BundleExists``."""
    if path.exists():
        raise BundleExists(path)
    passing = path.with_name(f".{path.name}.new")
    _remove(passing)
    passing.parent.mkdir(parents=True, exist_ok=True)
    try:
        if path.suffix == ".zip":
            passing.touch(mode=0o600)
            with zipfile.ZipFile(passing, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
                yield Writing(_Zip(file))
        else:
            passing.mkdir(mode=0o700)
            yield Writing(_Folder(passing))
        passing.rename(path)
    finally:
        _remove(passing)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Bundle:
    """One that is read. ``manifest`` was read and is of a known version."""

    path: Path
    place: _Place
    manifest: dict[str, Any]
    manifest_sha256: str

    @property
    def company(self) -> str:
        return str(self.manifest["company"])

    def names(self) -> list[str]:
        return sorted(self.place.names())

    def named(self, folder: str) -> list[str]:
        """The files below a folder, in order."""
        return [name for name in sorted(self.manifest["files"]) if name.startswith(folder)]

    def lines(self, name: str) -> Iterator[bytes]:
        with self.place.open(name) as source:
            for line in source:
                yield line.rstrip(b"\n")

    def content(self, digest: str) -> bytes:
        """Of a file that the manifest names, and of nothing else of this machine. Raises ``BundleUnreadable``."""
        if f"files/{digest}" not in self.manifest["files"]:
            raise BundleUnreadable(self.path, f"a row names files/{digest}, and its manifest does not")
        with self.place.open(f"files/{digest}") as source:
            return source.read()

    def digest_of(self, name: str) -> tuple[str, int]:
        """SHA-256 and size of a file as it is there."""
        digest, size = hashlib.sha256(), 0
        with self.place.open(name) as source:
            while part := source.read(PART):
                digest.update(part)
                size += len(part)
        return digest.hexdigest(), size


@contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """Read a bundle. Raises ``BundleUnreadable``."""
    if path.is_dir():
        yield _with_manifest(path, _Folder(path))
        return
    try:
        file = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as unreadable:
        raise BundleUnreadable(path, f"it cannot be read as a ZIP file ({unreadable})") from unreadable
    with file:
        yield _with_manifest(path, _Zip(file))


def _with_manifest(path: Path, place: _Place) -> Bundle:
    try:
        with place.open(MANIFEST) as source:
            raw = source.read()
        manifest = cast("dict[str, Any]", json.loads(raw))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as unreadable:
        raise BundleUnreadable(path, f"it holds no {MANIFEST} that can be read") from unreadable
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleUnreadable(path, "its manifest is not that of a company's export")
    if missing := sorted(TOLD - manifest.keys()):
        raise BundleUnreadable(path, f"its manifest does not tell {', '.join(missing)}")
    if manifest.get("version") != VERSION:
        raise BundleUnreadable(path, f"it is of version {manifest.get('version')}, this program reads {VERSION}")
    return Bundle(path, place, manifest, hashlib.sha256(raw).hexdigest())
