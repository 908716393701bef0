"""The texts that a company wrote itself: each saving is a version, and no version is ever changed (rule 13.1)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notify.delivered import MEDIA, NAMES, TITLES, Key, Kind, Text, delivered, kind_of, level_of
from services.notify.formats import LOCALES
from services.notify.manuscript import Form, html_of, read

LOCK = text("select pg_advisory_xact_lock(hashtextextended('templates/' || :company, 0))")
OWN = text("select * from template where company = :company order by name, medium, language")
CURRENT = text(
    "select * from template"
    " where company = :company and name = :name and medium = :medium and language = :language"
)
VERSIONS = text(
    "select * from template_version"
    " where company = :company and name = :name and medium = :medium and language = :language"
    " order by version desc"
)
LAST = text(
    "select coalesce(max(version), 0) from template_version"
    " where company = :company and name = :name and medium = :medium and language = :language"
)
ADD = text(
    """
    insert into template_version (company, name, medium, language, version, kind, level, title, subject, body,
        form, gone, changed_by)
    values (:company, :name, :medium, :language, :version, :kind, :level, :title, :subject, :body, :form, :gone,
        :changed_by)
    """
)
USE = text(
    """
    insert into template (company, name, medium, language, version, kind, level, title, subject, body, form,
        changed_by)
    values (:company, :name, :medium, :language, :version, :kind, :level, :title, :subject, :body, :form,
        :changed_by)
    on conflict (company, name, medium, language) do update set kind = excluded.kind, level = excluded.level,
        title = excluded.title, subject = excluded.subject, body = excluded.body, form = excluded.form,
        version = excluded.version, changed_by = excluded.changed_by, changed_at = now()
    """
)
FORGET = text(
    "delete from template where company = :company and name = :name and medium = :medium and language = :language"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A company's text, checked. ``level`` is 1 to 7; ``title`` what people call it, empty for its name."""

    name: str
    medium: str
    language: str
    kind: Kind
    level: int | None
    title: str
    subject: str
    body: str
    form: Form


class TemplateChanged(Exception):
    """Somebody saved another version while this one was being written."""

    def __init__(self, version: int, changed_by: str | None) -> None:
        super().__init__(f"version {version} was saved in the meantime; look at it, then save again")
        self.version = version
        self.changed_by = changed_by


async def hold(tx: AsyncConnection, company: str) -> None:
    """One saving at a time; until the transaction ends."""
    await tx.execute(LOCK, {"company": company})


async def own(tx: AsyncConnection, company: str) -> list[dict[str, Any]]:
    return [_told(row) for row in (await tx.execute(OWN, {"company": company})).mappings()]


async def versions(tx: AsyncConnection, company: str, key: Key) -> list[dict[str, Any]]:
    """Every version of one text, the latest first; ``gone`` where the company went back to the delivered one."""
    return [_told(row) for row in (await tx.execute(VERSIONS, _named(company, key))).mappings()]


async def save(
    tx: AsyncConnection, company: str, written: Written, actor: str, expected: int | None = None
) -> tuple[int, bool]:
    """Its version, and whether it is new: the same text again changes nothing. After ``hold``.

    ``expected`` is the version that the writer saw, 0 for the delivered text or none. Raises ``TemplateChanged``.
    """
    key = Key(written.name, written.medium, written.language)
    before = (await tx.execute(CURRENT, _named(company, key))).mappings().one_or_none()
    seen = 0 if before is None else before["version"]
    if expected is not None and expected != seen:
        raise TemplateChanged(seen, None if before is None else before["changed_by"])
    if before is not None and asdict(written) == {name: before[name] for name in asdict(written)}:
        return seen, False
    version = await _last(tx, company, key) + 1
    row = {"company": company, **asdict(written), "version": version, "changed_by": actor}
    await tx.execute(ADD, {**row, "gone": False})
    await tx.execute(USE, row)
    return version, True


async def take_back(tx: AsyncConnection, company: str, key: Key, actor: str) -> bool:
    """No text of the company's own any more; its versions stay. False when there was none. After ``hold``."""
    before = (await tx.execute(CURRENT, _named(company, key))).mappings().one_or_none()
    if before is None:
        return False
    version = await _last(tx, company, key) + 1
    last = {name: before[name] for name in Written.__slots__}
    await tx.execute(ADD, {"company": company, **last, "version": version, "changed_by": actor, "gone": True})
    await tx.execute(FORGET, _named(company, key))
    return True


async def _last(tx: AsyncConnection, company: str, key: Key) -> int:
    return int(await tx.scalar(LAST, _named(company, key)))


def _named(company: str, key: Key) -> dict[str, str]:
    return {"company": company, "name": key.name, "medium": key.medium, "language": key.language}


def _told(row: RowMapping) -> dict[str, Any]:
    """``html`` is the body as the editor takes it."""
    told = {name: value for name, value in row.items() if name != "company"}
    return told | {"own": True, "html": html_of(read(row["body"], row["form"]))}


def those_delivered() -> list[dict[str, Any]]:
    """The product's texts, in the shape of a company's own."""
    return [
        _of_the_product(text_, name, medium, language)
        for name in NAMES
        for medium in MEDIA
        for language in LOCALES
        if (text_ := delivered(name, medium, language)) is not None
    ]


def _of_the_product(found: Text, name: str, medium: str, language: str) -> dict[str, Any]:
    return {
        "name": name,
        "medium": medium,
        "language": language,
        "kind": kind_of(name),
        "level": level_of(name),
        "title": TITLES[name].en if language == "en" else TITLES[name].fr,
        "subject": found.subject,
        "body": found.body,
        "form": found.form,
        "html": html_of(read(found.body, found.form)),
        "version": 0,
        "changed_by": None,
        "changed_at": None,
        "own": False,
    }


def in_use(written: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The delivered texts, and in their place and beside them the company's own."""
    known = {(one["name"], one["medium"], one["language"]): one for one in those_delivered()}
    return list((known | {(one["name"], one["medium"], one["language"]): one for one in written}).values())
