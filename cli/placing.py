"""Files that others read while they are written."""

from __future__ import annotations

import os
from pathlib import Path


def put(file: Path, content: bytes, mode: int) -> Path:
    """Write ``file`` whole or not at all: nobody sees half of it, nor reads it before ``mode`` is its own."""
    file.parent.mkdir(parents=True, exist_ok=True)
    passing = file.with_name(f".{file.name}.new")
    passing.unlink(missing_ok=True)
    with os.fdopen(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
        output.write(content)
    passing.chmod(mode)
    passing.replace(file)
    return file
