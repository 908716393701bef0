"""Templates and senders of a company."""

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from psycopg.types.json import Jsonb
from pydantic import AfterValidator, Field
from sqlalchemy import text

from chassis.database import driver
from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, requires
from chassis.problems import Problem
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.delivered import MEDIA, NAMES, delivered
from services.notify.formats import LOCALES
from services.notify.messages import is_usable_address
from services.notify.settings import NotifySettings
from services.notify.tags import BLOCK_TAGS, TAGS, problems

router = APIRouter(prefix="/companies/{company}")

OWN = text(
    "select name, medium, language, subject, body, changed_by, changed_at from template where company = :company"
)

SAVE = text(
    """
    insert into template (company, name, medium, language, subject, body, changed_by)
    values (:company, :name, :medium, :language, :subject, :body, :changed_by)
    on conflict (company, name, medium, language) do update set subject = excluded.subject,
        body = excluded.body, changed_by = excluded.changed_by, changed_at = now()
    """
)

FORGET = text(
    "delete from template where company = :company and name = :name and medium = :medium and language = :language"
)

SENDER = text("select body from sender where company = :company")

SAVE_SENDER = """
    insert into sender (company, body, changed_by) values (%(company)s, %(body)s, %(changed_by)s)
    on conflict (company) do update set
        body = excluded.body, changed_by = excluded.changed_by, changed_at = now()
"""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Written = Literal["email", "letter"]
Language = Literal["fr", "en"]


def _address(value: str) -> str:
    if value and not is_usable_address(value):
        raise ValueError("not an e-mail address")
    return value


def _web(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ValueError("not a web address")
    return value


Line = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
Email = Annotated[str, Field(max_length=300), AfterValidator(_address)]
Web = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x20\x7f]*$"), AfterValidator(_web)]


class Texts(Body):
    subject: str = Field(max_length=1000)
    body: str = Field(max_length=100_000)


class Template(Texts):
    """``name`` is ``notice``, ``R1`` to ``R7``, ``thanks``, or one that a scenario's step names."""

    name: Name
    medium: Written = "email"
    language: Language = "fr"


class SenderBody(Body):
    """What is left empty gets its default. ``penalty_rate`` is yearly, 0.12 for 12 %."""

    name: Line = ""
    email: Email = ""
    reply_to: Email = ""
    phone: Line = ""
    company_name: Line = ""
    company_address: str = Field("", max_length=1000)
    footer: str = Field("", max_length=2000)
    bank_details: Line = ""
    payment_url: Web = ""
    invoices_url: Web = ""
    penalty_rate: Decimal | None = Field(None, ge=0, le=1)
    track_opens: bool = False


def check(subject: str, body: str) -> None:
    """Refuse a text that cannot be filled in: 422 with every problem, its place, the nearest tags (rule 13.5)."""
    found = problems(subject, body)
    if found:
        unknown = any(problem.code == "unknown_tag" for problem in found)
        raise Problem(
            "unknown-tag" if unknown else "template-refused",
            "The text cannot be saved",
            422,
            found[0].message,
            problems=[asdict(problem) for problem in found],
        )


@router.get("/templates")
async def get_templates(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Every template as it is used now, ``own`` or delivered, and the list of tags."""
    own = {
        (row.name, row.medium, row.language): dict(row._mapping) | {"own": True}
        for row in await tx.execute(OWN, {"company": company})
    }
    known = {
        (name, medium, language): {
            "name": name,
            "medium": medium,
            "language": language,
            "subject": text_.subject,
            "body": text_.body,
            "changed_by": None,
            "changed_at": None,
            "own": False,
        }
        for name in NAMES
        for medium in MEDIA
        for language in LOCALES
        if (text_ := delivered(name, medium, language)) is not None
    }
    return {
        "templates": list((known | own).values()),
        "tags": [
            {"tag": f"%{name}%", "description": description, "block": name in BLOCK_TAGS}
            for name, description in TAGS.items()
        ],
    }


@router.put("/templates", dependencies=[requires("admin")])
async def put_template(body: Template, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Save a company's own text. Answers 422 with every problem when a tag is unknown or out of place."""
    check(body.subject, body.body)
    await tx.execute(SAVE, {"company": company, **body.model_dump(), "changed_by": cause.actor})
    return body.model_dump() | {"own": True}


@router.delete("/templates", dependencies=[requires("admin")])
async def delete_template(
    name: Name, medium: Written, language: Language, company: CompanyDep, tx: TxDep
) -> dict[str, Any]:
    """Go back to the delivered text."""
    named = {"company": company, "name": name, "medium": medium, "language": language}
    if (await tx.execute(FORGET, named)).rowcount == 0:
        raise Problem("template-unknown", "The company has no such text of its own", 404)
    return {"deleted": True}


@router.post("/templates/check")
async def check_template(body: Texts) -> dict[str, Any]:
    """What would keep a text from being saved, while it is being written."""
    return {"problems": [asdict(problem) for problem in problems(body.subject, body.body)]}


@router.get("/sender")
async def get_sender(company: CompanyDep, tx: TxDep, process: RunningDep) -> dict[str, Any]:
    """Who writes for the company: ``saved`` as it was put, ``used`` with the defaults."""
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    used = await queries.sender(tx, company, settings.default_sender_domain)
    return {"saved": await tx.scalar(SENDER, {"company": company}), "used": asdict(used)}


@router.put("/sender", dependencies=[requires("admin")])
async def put_sender(body: SenderBody, company: CompanyDep, tx: TxDep, cause: CauseDep) -> dict[str, Any]:
    """Set who writes for the company. Messages already written keep their sender."""
    connection = await driver(tx)
    saved = body.model_dump(mode="json")
    await connection.execute(SAVE_SENDER, {"company": company, "body": Jsonb(saved), "changed_by": cause.actor})
    return saved
