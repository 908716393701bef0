"""Templates of a company: read, checked, saved as versions, taken back, carried to another company (rule 13)."""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from chassis.http import CauseDep, CompanyDep, TxDep, requires
from chassis.problems import Problem
from services.notify import shelf
from services.notify.api.bodies import Body
from services.notify.delivered import LEVELS, NAMES, Key, Kind, kind_of, level_of
from services.notify.manuscript import Form, clean
from services.notify.proofreading import TagProblem, problems
from services.notify.shelf import TemplateChanged, Written
from services.notify.tags import BLOCK_TAGS, NOT_YET, TAGS

router = APIRouter(prefix="/companies/{company}")

FORMAT: Literal["relance.templates"] = "relance.templates"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Medium = Literal["email", "letter"]
Language = Literal["fr", "en"]


class Texts(Body):
    """``form`` is that of the body: marked plain text, or HTML, of which only what a text may hold is kept."""

    subject: str = Field(max_length=1000)
    body: str = Field(max_length=100_000)
    form: Form = "text"


class TemplateExported(Texts):
    """``name`` is ``notice``, ``R1`` to ``R7``, ``formal_notice``, ``thanks``, or one that a scenario's step
    names: then ``kind`` says what it is for, and ``level`` for which reminder, if for one only.
    """

    name: Name
    medium: Medium = "email"
    language: Language = "fr"
    kind: Kind | None = None
    level: int | None = Field(None, ge=1, le=7)
    title: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")

    @model_validator(mode="after")
    def _agrees_with_its_name(self) -> Self:
        kind, level = self.what_it_is_for()
        if level is not None and kind != "reminder":
            raise ValueError("only a reminder has a level")
        other_level = self.name in LEVELS and level != level_of(self.name)
        if self.name in NAMES and (kind != kind_of(self.name) or other_level):
            raise ValueError(f"{self.name} is a {kind_of(self.name)} that every company has: name yours otherwise")
        return self

    def what_it_is_for(self) -> tuple[Kind, int | None]:
        return self.kind or kind_of(self.name), level_of(self.name) if self.level is None else self.level

    def written(self) -> Written:
        kind, level = self.what_it_is_for()
        body = clean(self.body) if self.form == "html" else self.body
        title = self.title.strip()
        return Written(
            self.name, self.medium, self.language, kind, level, title, self.subject.strip(), body, self.form
        )


class Template(TemplateExported):
    """``expected_version`` is the one that the writer saw, 0 for the delivered text: no other is replaced."""

    expected_version: int | None = Field(None, ge=0)


class TemplatesExported(Body):
    """What ``GET /templates/export`` answers and ``POST /templates/import`` takes."""

    format: Literal["relance.templates"] = FORMAT
    version: Literal[1] = 1
    templates: list[TemplateExported] = Field(min_length=1, max_length=500)


def check(subject: str, body: str, form: Form = "text") -> None:
    """Refuse a text that cannot be filled in: 422 with every problem, its place, the nearest tags (rule 13.5)."""
    found = problems(subject, body, form)
    if found:
        raise _refusal(found, [asdict(problem) for problem in found])


def _refusal(found: list[TagProblem], told: list[dict[str, Any]]) -> Problem:
    unknown = any(problem.code == "unknown_tag" for problem in found)
    return Problem(
        "unknown-tag" if unknown else "template-refused",
        "The text cannot be saved",
        422,
        found[0].message_en,
        problems=told,
    )


@router.get("/templates")
async def get_templates(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Every template as it is used now, ``own`` or delivered, and the list of tags.

    ``body`` is as it was saved, in its ``form``; ``html`` the same for the editor.
    """
    return {
        "templates": shelf.in_use(await shelf.own(tx, company)),
        "tags": [
            {
                "tag": f"%{name}%",
                "description": said.fr,
                "description_en": said.en,
                "block": name in BLOCK_TAGS,
            }
            for name, said in TAGS.items()
        ],
        "not_yet": [
            {"tag": f"%{name}%", "reason": said.fr, "reason_en": said.en} for name, said in NOT_YET.items()
        ],
    }


@router.put("/templates", dependencies=[requires("admin")])
async def put_template(body: Template, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Save a company's own text as a new version; the same text again stays the version it is.

    422 with every problem when a tag is unknown or out of place; 409 ``template-changed`` when somebody saved
    another version in the meantime.
    """
    written = body.written()
    check(written.subject, written.body, written.form)
    await shelf.hold(tx, company)
    try:
        version, changed = await shelf.save(tx, company, written, cause.actor, body.expected_version)
    except TemplateChanged as other:
        raise Problem(
            "template-changed",
            "Somebody saved another version",
            409,
            str(other),
            version=other.version,
            changed_by=other.changed_by,
        ) from other
    return asdict(written) | {"own": True, "version": version, "changed": changed}


@router.delete("/templates", dependencies=[requires("admin")])
async def delete_template(  # noqa: PLR0913, PLR0917 - what names a template
    name: Name, medium: Medium, language: Language, company: CompanyDep, tx: TxDep, cause: CauseDep
) -> dict[str, Any]:
    """Go back to the delivered text; steps that name a text of the company's own take that of their level."""
    await shelf.hold(tx, company)
    if not await shelf.take_back(tx, company, Key(name, medium, language), cause.actor):
        raise Problem("template-unknown", "The company has no such text of its own", 404)
    return {"deleted": True}


@router.get("/templates/versions")
async def get_versions(
    name: Name, medium: Medium, language: Language, company: CompanyDep, tx: TxDep
) -> dict[str, Any]:
    """Every version of a company's own text, the latest first; empty when it never had one."""
    return {"versions": await shelf.versions(tx, company, Key(name, medium, language))}


@router.post("/templates/check")
async def check_template(body: Texts) -> dict[str, Any]:
    """What would keep a text from being saved, while it is being written; ``clean`` is what would be kept."""
    kept = clean(body.body) if body.form == "html" else body.body
    found = problems(body.subject, kept, body.form)
    return {"problems": [asdict(problem) for problem in found], "clean": kept}


@router.get("/templates/export")
async def export(
    company: CompanyDep, tx: TxDep, name: Annotated[list[Name] | None, Query(max_length=500)] = None
) -> dict[str, Any]:
    """The company's own texts as a file for another company, all or those of these names."""
    members = set(TemplateExported.model_fields)
    found = [
        {member: value for member, value in one.items() if member in members}
        for one in await shelf.own(tx, company)
        if name is None or one["name"] in name
    ]
    return {"format": FORMAT, "version": 1, "templates": found}


@router.post("/templates/import", dependencies=[requires("admin")])
async def import_all(
    body: TemplatesExported,
    company: CompanyDep,
    tx: TxDep,
    cause: CauseDep,
    dry_run: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """Save what an export holds: all of it or, when one text cannot be saved, nothing (422; rule 13.7).

    ``imported`` tells per text its version and whether that is ``new``, ``changed`` or the ``same``. With
    ``dry_run`` nothing is changed.
    """
    texts = [one.written() for one in body.templates]
    _refuse_doubles(texts)
    wrong = [
        (problem, asdict(problem) | _place(place, one))
        for place, one in enumerate(texts)
        for problem in problems(one.subject, one.body, one.form)
    ]
    if wrong:
        raise _refusal([problem for problem, _ in wrong], [told for _, told in wrong])
    await shelf.hold(tx, company)
    imported = []
    async with tx.begin_nested() as saved:
        for place, one in enumerate(texts):
            version, changed = await shelf.save(tx, company, one, cause.actor)
            state = "same" if not changed else "new" if version == 1 else "changed"
            imported.append(_place(place, one) | {"version": version, "state": state})
        if dry_run:
            await saved.rollback()
    return {"dry_run": dry_run, "imported": imported}


def _place(place: int, one: Written) -> dict[str, Any]:
    return {"place": place, "name": one.name, "medium": one.medium, "language": one.language}


def _refuse_doubles(texts: list[Written]) -> None:
    keys = [(one.name, one.medium, one.language) for one in texts]
    doubles = sorted({key for key in keys if keys.count(key) > 1})
    if doubles:
        raise Problem(
            "template-twice",
            "A text stands twice in this file",
            422,
            "Leave each of them once: nobody knows which of the two is meant.",
            twice=[dict(zip(("name", "medium", "language"), key, strict=True)) for key in doubles],
        )
