"""Whether a reader of yesterday's events can read today's: within a major version a schema only grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
FORMS = ("type", "format", "pattern", "const", "minLength", "maxLength")


def breaking_changes(old: Json, new: Json) -> list[str]:
    """What ``new`` takes away from those who read ``old``, in sentences; empty when it only adds.

    Both are schemas of what is *said*: a field that readers were promised must stay, of the same form; a field
    that was always there must always be there; a new field must be optional, since old events lack it. A list of
    words is open: new words may be said, which readers pass over, but none may be taken away.
    """
    return _Comparison(old, new).compare(old, new, "", frozenset())


@dataclass(frozen=True)
class _Comparison:
    old_root: Json
    new_root: Json

    def compare(self, old: Json, new: Json, at: str, seen: frozenset[str]) -> list[str]:
        if "$ref" in old:
            if old["$ref"] in seen:
                return []
            seen |= {old["$ref"]}
        old, new = _resolved(old, self.old_root), _resolved(new, self.new_root)
        where = at or "the event"
        changes = [
            f"{where} has another {form}: {_told(old, form)} became {_told(new, form)}"
            for form in FORMS
            if old.get(form) != new.get(form)
        ]
        changes += _words_gone(old, new, where)
        changes += self._properties(old, new, at, seen)
        for part in ("items", "additionalProperties"):
            if isinstance(old.get(part), dict):
                if isinstance(new.get(part), dict):
                    changes += self.compare(old[part], new[part], f"{where}[]", seen)
                else:
                    changes.append(f"{where} has another form of {part}")
        return changes + self._alternatives(old, new, where, seen)

    def _properties(self, old: Json, new: Json, at: str, seen: frozenset[str]) -> list[str]:
        def path(name: str) -> str:
            return f"{at}.{name}" if at else name

        before, after = old.get("properties", {}), new.get("properties", {})
        required, still = set(old.get("required", [])), set(new.get("required", []))
        changes = [
            f"{path(name)} is gone: keep it, and add what replaces it beside it"
            for name in before
            if name not in after
        ]
        changes += [
            f"{path(name)} may now be missing: readers rely on its being there"
            for name in sorted(required - still)
            if name in after
        ]
        changes += [
            f"{path(name)} must now be there: events that were said lack it, so give it a default"
            for name in sorted(still - required)
        ]
        for name in before.keys() & after.keys():
            changes += self.compare(before[name], after[name], path(name), seen)
        return changes

    def _alternatives(self, old: Json, new: Json, where: str, seen: frozenset[str]) -> list[str]:
        before, after = old.get("anyOf", []), new.get("anyOf", [])
        if len(before) != len(after):
            return [f"{where} has other alternatives"]
        return [
            change
            for one, other in zip(before, after, strict=True)
            for change in self.compare(one, other, where, seen)
        ]


def _resolved(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = root["$defs"][name]
    return schema


def _told(schema: Json, form: str) -> str:
    return repr(schema[form]) if form in schema else "none"


def _words_gone(old: Json, new: Json, where: str) -> list[str]:
    """A word that may no longer be said, or a list of words where any was allowed, breaks who waits for it."""
    before, after = old.get("enum"), new.get("enum")
    if before is None:
        return [] if after is None else [f"{where} has another enum: any value became {after}"]
    if after is None:
        return [f"{where} has another enum: {before} became any value"]
    gone = [word for word in before if word not in after]
    return [f"{where} no longer says {', '.join(map(repr, gone))}: readers wait for it"] if gone else []
