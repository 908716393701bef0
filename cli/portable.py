"""Files that carry a company's own things to another company."""

import json
from pathlib import Path

from cli.road import Json

LARGEST_FILE = 4 * 1024 * 1024


class FileRefused(Exception):
    """The file cannot be taken as it is; nothing was changed. ``problems`` are sentences with place and remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"nothing was changed; {len(problems)} problems, the first: {problems[0]}")
        self.problems = problems


def read_export(file: Path, of: str, refused: type[FileRefused] = FileRefused) -> Json:
    """An export ``of`` scenarios, templates. Raises ``refused``, which names line and column."""
    if file.stat().st_size > LARGEST_FILE:
        raise refused([f"{file.name} is larger than 4 MB: it is no export of {of}"])
    try:
        body = json.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as unreadable:
        raise refused([f"{file.name} is not written in UTF-8: export it again"]) from unreadable
    except json.JSONDecodeError as unreadable:
        where = f"{file.name}, line {unreadable.lineno}, column {unreadable.colno}"
        raise refused([f"{where}: {unreadable.msg}; mend it or export it again"]) from unreadable
    if not isinstance(body, dict):
        raise refused([f"{file.name}, line 1: an export begins with {{ and names its format"])
    return body


def wrong_fields(file: str, problem: Json) -> list[str]:
    """What a service could not read, with its place in the file."""
    found = []
    for error in problem.get("errors") or ():
        where = str(error["where"]).removeprefix("body.")
        if error["type"] == "extra_forbidden":
            found.append(f"{file}, {where}: this field is not known; take it out")
        else:
            found.append(f"{file}, {where}: {error['message']}")
    return found
