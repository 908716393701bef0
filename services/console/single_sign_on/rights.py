"""What groups of the provider may do in which companies: the operator's file, and what it comes to. Pure but for
``read``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from chassis.auth import ROLES, Role

PersonRole = Literal["reader", "user", "admin"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class RightsUnreadable(Exception):
    """The file cannot be read, or says what cannot be: with the place and the remedy."""


class Right(BaseModel):
    """Whoever is in ``group`` has this role in these companies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Word
    companies: list[Word] = Field(min_length=1)
    role: PersonRole
    portfolio: list[Word] | None = Field(default=None, min_length=1)
    """Codes of the sales people whose clients they see. Left out, the file does not say: who is new sees every
    client, and what was chosen for others on the page of users stays."""


class Rights(BaseModel):
    """The whole file. ``make_people``: whoever a group gives something is given an account when they first
    come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    make_people: bool = False
    right: list[Right] = Field(default_factory=list)

    @property
    def companies(self) -> frozenset[str]:
        """In these, groups decide and nobody else."""
        return frozenset(company for one in self.right for company in one.companies)


@dataclass(frozen=True, slots=True)
class Given:
    """``portfolio`` is ``None`` where the file does not say."""

    role: Role
    portfolio: tuple[str, ...] | None


def parsed(text: str) -> Rights:
    """Raises ``RightsUnreadable``."""
    try:
        rights = Rights.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as broken:
        raise RightsUnreadable(f"it is no TOML: {broken}") from broken
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RightsUnreadable(f"{place}: {first['msg']}") from wrong
    for number, one in enumerate(rights.right):
        if one.role == "admin" and one.portfolio is not None:
            raise RightsUnreadable(
                f"right.{number}.portfolio: an administrator sees every client; leave it out, or give another role"
            )
    return rights


def read(file: Path) -> Rights:
    """As it stands now. Raises ``RightsUnreadable``."""
    try:
        return parsed(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as unreadable:
        raise RightsUnreadable(f"{file} cannot be read") from unreadable


def given(rights: Rights, groups: Iterable[str]) -> Mapping[str, Given]:
    """Role and portfolio per company. Of several groups the highest role counts, with what the groups that give it
    show together: a role is never widened by what a lower one shows."""
    mine = set(groups)
    by_company: dict[str, list[Right]] = {}
    for one in rights.right:
        if one.group in mine:
            for company in one.companies:
                by_company.setdefault(company, []).append(one)
    return {company: _joined(found) for company, found in by_company.items()}


def _joined(found: list[Right]) -> Given:
    role = max((one.role for one in found), key=ROLES.index)
    shown = [one.portfolio for one in found if one.role == role]
    if any(one is None for one in shown):
        return Given(role, None)
    return Given(role, tuple(sorted({code for one in shown for code in one or ()})))
