"""The daily mail of key figures to one of the company's own people (rule 15.4), sent while the caller waits.

Only the console asks: it knows the people, and what each of them may see. The words are ours, so that nobody sends
any other text by this way.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from chassis import clock
from chassis.database import transaction
from chassis.http import CompanyDep, RunningDep, requires
from chassis.problems import Problem
from services.notify import queries
from services.notify.api.bodies import Body
from services.notify.api.sender import Email
from services.notify.at_once import attempted
from services.notify.cash_report import Figures, report
from services.notify.domain import message_id
from services.notify.messages import compose
from services.notify.numbered import Standing, State, claim, end
from services.notify.oauth.keeping import keeper_of
from services.notify.servers import of_companies, of_installation
from services.notify.settings import NotifySettings
from services.notify.signing import SignatureSealed, header_of, signature_of

router = APIRouter(prefix="/companies/{company}", dependencies=[requires("system")])

ANSWER_SECONDS = 30.0
"""How long the mail server may take in all."""

NO_FIGURES = ("report_id", "to", "language")
Medium = Literal["phone", "letter", "email", "other"]
Count = Annotated[int, Field(ge=0)]


class Late(Body):
    name: str = Field(max_length=500)
    overdue: Decimal


class ReportBody(Body):
    """As ``Figures``; ``to`` and ``language`` are the person's. ``report_id`` numbers it: by one number it leaves
    once."""

    report_id: UUID
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
        told = {name: getattr(self, name) for name in type(self).model_fields if name not in NO_FIGURES}
        return Figures(**told | {"top": [(one.name, one.overdue) for one in self.top]})


@router.post("/cash-report")
async def post_cash_report(body: ReportBody, company: CompanyDep, process: RunningDep) -> dict[str, Any]:
    """Send it by the server that the company's messages leave by, signed as they are. ``state`` is what became of
    it: ``sent``; ``stayed``: it surely did not leave, and asked again it may; ``under_way`` by an earlier request;
    ``in_doubt``: it may have left, and never leaves again. ``words`` are the server's or the network's. Nothing of
    what it says is kept. 409 ``secret-unreadable``.
    """
    if not body.to:
        raise Problem("address-missing", "A report goes to somebody", 422)
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    async with transaction(process.api_engine, company) as tx:
        found = await of_companies(tx, settings, keeper_of(process), company)
        try:
            signature = await signature_of(tx, company, settings.sealing_key)
        except SignatureSealed as shut:
            raise Problem(
                "secret-unreadable", "The signing key cannot be read with this installation's key", 409
            ) from shut
        sender = replace(await queries.sender(tx, company, settings.default_sender_domain), tagged=False)
    server = found.get(company)
    if company in found and server is None:
        raise Problem("secret-unreadable", "The password cannot be read with this installation's key", 409)
    rendered = report(body.figures(), sender.company_name or company, body.language)
    mail = compose(rendered, sender, [body.to], message_id(body.report_id, sender.email), clock.now())
    mail = replace(mail, raw=await header_of(signature, mail.envelope_from, mail.raw) + mail.raw)
    async with transaction(process.api_engine, company) as tx:
        known = await claim(tx, company, body.report_id, mail.message_id)
    if known is None:
        attempt = await attempted(server or of_installation(settings), mail, ANSWER_SECONDS)
        state: State = "sent" if attempt.ok else "stayed" if attempt.surely_stayed else "in_doubt"
        known = Standing(state, attempt.words)
        async with transaction(process.api_engine, company) as tx:
            await end(tx, company, body.report_id, known)
    return {"state": known.state, "words": known.words}
