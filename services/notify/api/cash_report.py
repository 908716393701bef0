"""The daily mail of key figures to one of the company's own people (rule 15.4), sent while the caller waits.

Only the console asks: it knows the people, and what each of them may see. The words are ours, so that nobody sends
any other text by this way.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter
from pydantic import Field

from chassis import clock
from chassis.http import CompanyDep, RunningDep, TxDep, requires
from chassis.problems import Problem
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.api.sender import Email
from services.notify.at_once import attempted
from services.notify.cash_report import Figures, report
from services.notify.domain import message_id
from services.notify.messages import compose
from services.notify.oauth.keeping import Keeper
from services.notify.servers import of_companies, of_installation
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("system")])

ANSWER_SECONDS = 30.0
"""How long the mail server may take in all."""

Medium = Literal["phone", "letter", "email", "other"]
Count = Annotated[int, Field(ge=0)]


class Late(Body):
    name: str = Field(max_length=500)
    overdue: Decimal


class ReportBody(Body):
    """As ``Figures``; ``to`` and ``language`` are the person's."""

    to: Email
    language: Literal["fr", "en"] = "fr"
    as_of: date
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    total: Decimal
    overdue: Decimal
    overdue_clients: Count
    upcoming: Decimal
    paid: Decimal
    paid_since: date
    to_remind: Decimal
    tasks: dict[Medium, Count]
    done_since: date
    done: dict[Medium, Count]
    late_promises: Count
    late_promised: Decimal
    failed_mails: Count
    stale: bool
    synced_on: date | None = None
    top: list[Late] = Field(default_factory=list, max_length=10)

    def figures(self) -> Figures:
        told = {name: getattr(self, name) for name in type(self).model_fields if name not in ("to", "language")}
        return Figures(**told | {"top": [(one.name, one.overdue) for one in self.top]})


@router.post("/cash-report")
async def post_cash_report(
    body: ReportBody, company: CompanyDep, tx: TxDep, process: RunningDep
) -> dict[str, Any]:
    """Send it by the server that the company's messages leave by: ``ok``, and where not, the ``words`` of the
    server or the network, and ``again``: it surely did not leave, so that it may be asked for again. Nothing of it
    is kept; whoever asks twice sends twice.
    """
    if not body.to:
        raise Problem("address-missing", "A report goes to somebody", 422)
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    found = await of_companies(tx, settings, Keeper(process.engine, settings), company)
    server = found.get(company)
    if company in found and server is None:
        raise Problem("secret-unreadable", "The password cannot be read with this installation's key", 409)
    sender = replace(await queries.sender(tx, company, settings.default_sender_domain), tagged=False)
    rendered = report(body.figures(), sender.company_name or company, body.language)
    mail = compose(rendered, sender, [body.to], message_id(uuid4(), sender.email), clock.now())
    attempt = await attempted(server or of_installation(settings), mail, ANSWER_SECONDS)
    if attempt.ok:
        return {"ok": True, "words": attempt.words}
    return {"ok": False, "again": attempt.surely_stayed, "words": attempt.words}
