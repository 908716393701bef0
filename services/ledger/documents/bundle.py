"""A ZIP of PDFs with its ``metadata.json``, looked into without trusting it.

Nothing is unpacked to disk, and no size that the ZIP states is believed: what is read is counted while it is read.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, NamedTuple

MEGABYTE = 1 << 20
METADATA = "metadata.json"
LARGEST_METADATA = 8 * MEGABYTE
MOST_FILES = 5_000
LARGEST_DIRECTORY = 4 * MEGABYTE
"""The list of files at the end of a ZIP; thousands of files with long names need less."""
HEADER_WITHIN = 1_024
"""A PDF begins with ``%PDF-``; readers let some bytes stand before it."""
READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

_END = struct.Struct("<4s4H2LH")
_END_MARK, _LARGE_MARK = b"PK\5\6", b"PK\6\7"
_LONGEST_COMMENT = 0xFFFF
_LARGE_LOCATOR_BYTES = 20


class BundleRefused(Exception):
    """The ZIP as a whole cannot be taken; ``code`` names why, the text says it in a sentence."""

    def __init__(self, code: str, sentence: str, remedy: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.code, self.remedy, self.status = code, remedy, status


class FileRefused(Exception):
    """One file of the ZIP cannot be taken; the others may."""

    def __init__(self, code: str, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.code, self.remedy = code, remedy


class Seen(NamedTuple):
    """What was found of one file: the digest of its content and its size."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Limits:
    """In bytes: of one document, and of all documents of one ZIP when unpacked."""

    document: int
    bundle: int


class Bundle:
    """An open ZIP. Raises ``BundleRefused`` when it is none, or too much to be one of ours."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._limits = limits
        _refuse_long_directory(file)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, EOFError) as unreadable:
            raise _no_zip() from unreadable
        members = [member for member in self._zip.infolist() if not member.is_dir()]
        if len(members) > MOST_FILES:
            raise BundleRefused(
                "bundle-too-many-files",
                f"The ZIP holds {len(members)} files; at most {MOST_FILES} are taken at once.",
                "Send the documents in several ZIPs.",
                413,
            )
        unpacked = sum(member.file_size for member in members)
        if unpacked > limits.bundle:
            raise BundleRefused(
                "bundle-unpacks-too-much",
                f"The ZIP unpacks to {unpacked // MEGABYTE} MB; at most {limits.bundle // MEGABYTE} are taken.",
                "Send the documents in several ZIPs.",
                413,
            )
        self._members: dict[str, list[zipfile.ZipInfo]] = {}
        for member in members:
            self._members.setdefault(member.filename, []).append(member)

    @property
    def names(self) -> list[str]:
        """Its files, without ``metadata.json``."""
        return [name for name in self._members if name != METADATA]

    def metadata(self) -> bytes:
        """Raises ``BundleRefused`` when there is none that can be read."""
        remedy = "Add metadata.json at the top of the ZIP: which file belongs to which entry."
        if METADATA not in self._members:
            raise BundleRefused("metadata-missing", "The ZIP holds no metadata.json.", remedy)
        try:
            return b"".join(self._parts(METADATA, LARGEST_METADATA))
        except FileRefused as refused:
            raise BundleRefused("metadata-unreadable", f"metadata.json: {refused}", refused.remedy) from refused

    def look_at(self, name: str) -> Seen:
        """Read a file to its end without keeping it. Raises ``FileRefused`` when it is no PDF we take."""
        digest, size = sha256(), 0
        head = b""
        for part in self._parts(name, self._limits.document):
            if len(head) < HEADER_WITHIN:
                head += part[: HEADER_WITHIN - len(head)]
            digest.update(part)
            size += len(part)
        if b"%PDF-" not in head:
            raise FileRefused(
                "not-a-pdf", f"{name} is no PDF: it does not begin with %PDF-.", "Send the invoice as a PDF."
            )
        return Seen(digest.hexdigest(), size)

    def content(self, name: str) -> bytes:
        """A file that was looked at. Raises ``FileRefused``."""
        return b"".join(self._parts(name, self._limits.document))

    def _parts(self, name: str, most: int) -> Iterator[bytes]:
        member = self._member(name)
        too_large = FileRefused(
            "file-too-large", f"{name} is larger than {most // MEGABYTE} MB.", "Make the file smaller."
        )
        if member.file_size > most:
            raise too_large
        read = 0
        try:
            with self._zip.open(member) as file:
                while part := file.read(MEGABYTE):
                    read += len(part)
                    if read > most:
                        raise too_large
                    yield part
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as damaged:
            raise FileRefused("file-damaged", f"{name} is damaged in the ZIP.", "Make the ZIP anew.") from damaged

    def _member(self, name: str) -> zipfile.ZipInfo:
        found = self._members.get(name, [])
        if not found:
            remedy = "Names are compared letter by letter, with their folders."
            raise FileRefused("file-missing", f"The ZIP holds no file {name}.", remedy)
        if len(found) > 1:
            remedy = "Give every file a name of its own."
            raise FileRefused("file-twice", f"The ZIP holds {len(found)} files named {name}.", remedy)
        (member,) = found
        if member.flag_bits & 0x1:
            raise FileRefused("file-encrypted", f"{name} is encrypted.", "Make the ZIP without a password.")
        if member.compress_type not in READABLE:
            remedy = "Make the ZIP with the usual compression (deflate)."
            raise FileRefused("file-compression-unknown", f"{name} is compressed in a way not read here.", remedy)
        return member


def _no_zip() -> BundleRefused:
    return BundleRefused(
        "bundle-unreadable", "The body is no ZIP, or is cut.", "Send one ZIP as the body of the request."
    )


def _refuse_long_directory(file: IO[bytes]) -> None:
    """The list of a ZIP's files is read into memory whole: one that is far too long is not even begun.

    Looked for as ``zipfile`` looks for it; the form for ZIPs of more than 4 GB is not taken.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT - _LARGE_LOCATOR_BYTES))
    tail = file.read()
    at = len(tail) - _END.size
    if at < 0 or tail[at : at + 4] != _END_MARK or tail[-2:] != b"\0\0":
        at = tail.rfind(_END_MARK)
    if at < 0 or len(tail) - at < _END.size:
        raise _no_zip()
    directory = _END.unpack_from(tail, at)[5]
    large = tail[max(0, at - _LARGE_LOCATOR_BYTES) : at].startswith(_LARGE_MARK)
    if large or directory > LARGEST_DIRECTORY:
        raise BundleRefused(
            "bundle-too-many-files",
            f"The ZIP lists more files than are taken at once ({MOST_FILES}).",
            "Send the documents in several ZIPs.",
            413,
        )
    file.seek(0)
