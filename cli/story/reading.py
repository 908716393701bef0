"""From a file to a story, or to sentences that name file, line and key."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cli.story.format import Story

Path_ = tuple[str | int, ...]


class StoryLoader(yaml.SafeLoader):
    """YAML in which ``on``, ``off``, ``yes`` and ``no`` are words, as people mean them."""


StoryLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
StoryLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


class StoryRefused(Exception):
    """The story cannot be told; ``complaints`` are ready to print, one per line."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class Places:
    """Where each key of a file stands."""

    def __init__(self, file: Path, lines: dict[Path_, int]) -> None:
        self.file = file
        self._lines = lines

    def complaint(self, path: Path_, sentence: str) -> str:
        """``file:line: key: sentence``, with the line of the nearest key that is there."""
        path = tuple(part for part in path)
        known = path
        while known and known not in self._lines:
            known = known[:-1]
        key = ".".join(str(part) for part in path) or "story"
        return f"{self.file}:{self._lines.get(known, 1)}: {key}: {sentence}"

    def refuse(self, path: Path_, sentence: str) -> StoryRefused:
        return StoryRefused([self.complaint(path, sentence)])


def read(file: Path) -> tuple[Story, Places]:
    """Raises ``StoryRefused``."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoryRefused([f"{file}:1: story: cannot be read: {error}"]) from error
    loader = StoryLoader(text)
    try:
        node = loader.get_single_node()
        places = Places(file, {})
        twice: list[str] = []
        _walk(node, (), places, twice)
        if twice:
            raise StoryRefused(twice)
        data: Any = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        problem = getattr(error, "problem", None) or "is not YAML"
        raise StoryRefused([f"{file}:{line}: story: {problem}"]) from error
    finally:
        loader.dispose()
    try:
        return Story.model_validate(_with_plain_days(data)), places
    except ValidationError as error:
        raise StoryRefused(_complaints(error, places)) from error


def _with_plain_days(data: Any) -> Any:
    """Days as texts, so that complaints name them as they are written."""
    if isinstance(data, dict) and isinstance(data.get("days"), dict):
        return {**data, "days": {str(on): things for on, things in data["days"].items()}}
    return data


def _walk(node: yaml.Node | None, path: Path_, places: Places, twice: list[str]) -> None:
    if node is None:
        return
    places._lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            places._lines[(*path, name)] = key.start_mark.line + 1
            if name in seen:
                twice.append(places.complaint((*path, name), "stands here for the second time"))
            seen.add(name)
            _walk(value, (*path, name), places, twice)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(value, (*path, number), places, twice)


def _complaints(error: ValidationError, places: Places) -> list[str]:
    complaints = []
    for problem in error.errors():
        path = tuple(part for part in problem["loc"] if part not in {"Which", "literal['all']", "[key]"})
        sentence = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            sentence = "is not a word of stories"
        complaints.append(places.complaint(path, sentence))
    return list(dict.fromkeys(complaints))
