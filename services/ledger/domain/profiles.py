"""The profiles of a company: made, renamed, deleted, one of them the default (rules 3.1 to 3.4).

A profile keeps the word it was made under: events, scenarios and decisions know it by that. Renaming changes what
people read, and nothing that was decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, assert_never

from contracts.event import Event
from contracts.ledger import DEFAULT_PROFILE, DELIVERED_PROFILES, ProfileNamed, ProfilesChanged
from services.ledger.domain.refusals import (
    ProfileInUse,
    ProfileIsDefault,
    ProfileNameTaken,
    ProfileTakesOverItself,
    UnknownProfile,
)


class Profile(NamedTuple):
    """``profile`` is the word it was made under, ``name`` what people read."""

    profile: str
    name: str


@dataclass(frozen=True, slots=True)
class Profiles:
    """All profiles of a company; ``taken_over`` says which took over the clients of one that was deleted."""

    profiles: tuple[Profile, ...] = tuple(Profile(word, word) for word in DELIVERED_PROFILES)
    default: str = DEFAULT_PROFILE
    taken_over: Mapping[str, str] = field(default_factory=dict)

    def has(self, profile: str) -> bool:
        return any(one.profile == profile for one in self.profiles)

    def told(self, word: str | None) -> str | None:
        """The profile that accounting means: by its name, by the word it was made under, or the one that took a
        deleted one over. ``None`` where it says nothing, which is the default (rule 3.4); a word that means none
        is answered as it is, and has no scenario (rule 3.6)."""
        if word is None or not word.strip():
            return None
        asked = _folded(word)
        for one in self.profiles:
            if _folded(one.name) == asked:
                return one.profile
        for one in self.profiles:
            if _folded(one.profile) == asked:
                return one.profile
        for gone, taker in self.taken_over.items():
            if _folded(gone) == asked:
                return taker
        return word


DELIVERED = Profiles()
"""Those that a company begins with."""


@dataclass(frozen=True, slots=True)
class AddProfile:
    name: str


@dataclass(frozen=True, slots=True)
class RenameProfile:
    profile: str
    name: str


@dataclass(frozen=True, slots=True)
class DeleteProfile:
    """``clients`` is how many have it; then ``taken_over_by`` is needed (rule 3.3)."""

    profile: str
    taken_over_by: str | None = None
    clients: int = 0


@dataclass(frozen=True, slots=True)
class ChooseDefaultProfile:
    """The profile of clients of whom nobody says one (rule 3.4)."""

    profile: str


ProfileCommand = AddProfile | RenameProfile | DeleteProfile | ChooseDefaultProfile


def decide_profiles(known: Profiles, wanted: ProfileCommand) -> list[Event]:
    """What is said, nothing when it is so already. Raises a ``Refusal``."""
    changed = _changed(known, wanted)
    if changed == known:
        return []
    return [
        ProfilesChanged(
            profiles=tuple(ProfileNamed(profile=one.profile, name=one.name) for one in changed.profiles),
            default_profile=changed.default,
            taken_over=dict(changed.taken_over),
        )
    ]


def _changed(known: Profiles, wanted: ProfileCommand) -> Profiles:
    match wanted:
        case AddProfile(name):
            _must_be_free(known, name)
            made = Profile(_word_for(known, name), name.strip())
            return replace(known, profiles=(*known.profiles, made))
        case RenameProfile(profile, name):
            _must_have(known, profile)
            _must_be_free(known, name, unless=profile)
            renamed = tuple(
                Profile(profile, name.strip()) if one.profile == profile else one for one in known.profiles
            )
            return replace(known, profiles=renamed)
        case DeleteProfile():
            return _without(known, wanted)
        case ChooseDefaultProfile(profile):
            _must_have(known, profile)
            return replace(known, default=profile)
        case _:
            assert_never(wanted)


def _without(known: Profiles, wanted: DeleteProfile) -> Profiles:
    """What accounting still says of a deleted profile means the one that took it over."""
    gone, taker = wanted.profile, wanted.taken_over_by
    _must_have(known, gone)
    if gone == known.default:
        raise ProfileIsDefault(gone)
    if taker is None and wanted.clients:
        raise ProfileInUse(gone, wanted.clients)
    left = tuple(one for one in known.profiles if one.profile != gone)
    if taker is None:
        return replace(known, profiles=left)
    _must_have(known, taker)
    if taker == gone:
        raise ProfileTakesOverItself(gone)
    moved = {word: taker if now == gone else now for word, now in known.taken_over.items()}
    return replace(known, profiles=left, taken_over={**moved, gone: taker})


def _must_have(known: Profiles, profile: str) -> None:
    if not known.has(profile):
        raise UnknownProfile(profile)


def _must_be_free(known: Profiles, name: str, unless: str | None = None) -> None:
    for one in known.profiles:
        if one.profile != unless and _folded(one.name) == _folded(name):
            raise ProfileNameTaken(name.strip())


def _word_for(known: Profiles, name: str) -> str:
    """The name itself, or with a number when a profile was made under it before."""
    used = {_folded(one.profile) for one in known.profiles} | {_folded(gone) for gone in known.taken_over}
    word, number = name.strip(), 1
    while _folded(word) in used:
        number += 1
        word = f"{name.strip()} ({number})"
    return word


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
