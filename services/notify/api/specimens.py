"""A template that is being written, shown as the message that a real client would get."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from chassis.http import AsOfDep, CompanyDep, RunningDep, TxDep
from chassis.problems import Problem
from contracts.event import ClientId
from services.notify.api.messages import answering, as_pages, writer_of
from services.notify.api.templates import Language, Medium, Texts, check
from services.notify.delivered import Draft, Kind, Text
from services.notify.manuscript import clean
from services.notify.proofreading import left_out
from services.notify.specimen import NothingToShow, somebody, specimen
from services.notify.writing import written

router = APIRouter(prefix="/companies/{company}")


class Tried(Texts):
    """``client_id`` left out is a client with much that is late."""

    medium: Medium = "email"
    language: Language = "fr"
    kind: Kind = "reminder"
    level: int | None = Field(None, ge=1, le=7)
    client_id: ClientId | None = None


@router.post("/templates/preview")
async def post_preview(
    body: Tried, company: CompanyDep, as_of: AsOfDep, tx: TxDep, process: RunningDep
) -> dict[str, Any]:
    """The message as it would be: a mail as HTML and as text, a letter as pictures of its pages.

    ``left_out`` are tags that show nothing with this sender, and why. ``fits`` is false when the client has no
    entries of the kind that such a message speaks of, and others are shown. 422 with the problems of its tags; 404
    ``nothing-to-show`` when there is no such client or no entry; 503 while ledger cannot say who the person is.
    """
    kept = clean(body.body) if body.form == "html" else body.body
    check(body.subject, kept, body.form)
    try:
        # by the caller's own connection: who may not see a client is shown none of it
        client_id = body.client_id or await somebody(tx, company, as_of)
        action, fits = await specimen(tx, company, client_id, body.kind, body.level, body.medium, as_of)
    except NothingToShow as nothing:
        raise Problem("nothing-to-show", "There is no entry to show the text on", 404, str(nothing)) from nothing
    text = Text(body.subject, kept, own=True, form=body.form)
    writer = writer_of(process)
    with answering():
        desk = await writer.desk_ahead(company, action, Draft(text), as_of)
        looked = desk.looked[action.action_id]
        texts = await writer.labels_for(desk, [(action.action_id, text)], body.medium)
        rendered = written(desk, looked, (text, body.language), texts, medium=body.medium)
        answer = {
            "client_id": client_id,
            "client_name": desk.people[client_id].name,
            "fits": fits,
            "subject": rendered.subject,
            "text": rendered.text,
            "html": rendered.html,
            "left_out": [
                {"tag": f"%{tag}%", "reason": said.fr, "reason_en": said.en}
                for tag, said in left_out(kept, body.form, desk.sender_of(looked)).items()
            ],
        }
        if body.medium == "letter":
            answer["html"], answer["unprintable"] = await as_pages(
                writer, desk, rendered, (text, body.language), texts
            )
    return answer
