"""What becomes of a message: where its job moves, and what is said. Decided here, recorded by ``recording``."""

from dataclasses import dataclass
from datetime import timedelta

from chassis import clock
from chassis.jobs import Move
from contracts.event import Event
from contracts.notify import EmailFailed, EmailInDoubt, EmailSent, MessageWithheld
from services.notify.domain import NotYetHeard, WithholdReason, last_look
from services.notify.mailer import PutOff, Refused, Result, Taken, Unknown
from services.notify.queries import Looked
from services.notify.settings import NotifySettings
from services.notify.writing import Parcel

LONGEST_PAUSE = timedelta(minutes=15)
NOT_HEARD_PAUSE = timedelta(seconds=1)
GAVE_UP = "not_accepted_in_time"


@dataclass(slots=True)
class Verdict:
    """``taken`` is the mail server's word that it has the message; ``lost`` that another decides about the job."""

    parcel: Parcel
    move: Move
    event: Event | None = None
    taken: Taken | None = None
    lost: bool = False


def at_the_door(parcel: Parcel, now: Looked | None) -> Verdict:
    """The last look: may the mail leave, as things stand in this transaction?"""
    job = parcel.job
    if now is None:
        return Verdict(parcel, Move(job, "ready", "the action is not heard yet", NOT_HEARD_PAUSE))
    if now.sent:
        return Verdict(parcel, Move(job, "done"))
    action = now.action
    reason = last_look(action, now.now, parcel.as_of, frozenset(action.accepted_reasons))
    match reason:
        case None:
            return _leave(parcel)
        case NotYetHeard():
            return Verdict(parcel, Move(job, "ready", reason, NOT_HEARD_PAUSE))
        case WithholdReason():
            return Verdict(parcel, Move(job, "failed", f"withheld: {reason}"), _withheld(parcel, reason))


def _leave(parcel: Parcel) -> Verdict:
    if parcel.mail is not None:
        return Verdict(parcel, Move(parcel.job, "sending"))
    if parcel.failure is not None:
        return Verdict(parcel, Move(parcel.job, "failed", parcel.failure), _failed(parcel, parcel.failure))
    # it was held back when mails were written, and is not any more
    return Verdict(parcel, Move(parcel.job, "ready", None, timedelta(0)))


def after(parcel: Parcel, result: Result, settings: NotifySettings) -> Verdict:
    """What became of a message that was on its way."""
    job = parcel.job
    match result:
        case Taken():
            return Verdict(parcel, Move(job, "done"), _sent(parcel), result)
        case Refused():
            said = _failed(parcel, f"{result.what}_refused", result.status)
            return Verdict(parcel, Move(job, "failed", result.answer), said)
        case PutOff() if clock.now() - parcel.due_at > timedelta(hours=settings.give_up_after_hours):
            return Verdict(parcel, Move(job, "failed", result.reason), _failed(parcel, GAVE_UP))
        case PutOff():
            pause = timedelta(seconds=settings.retry_seconds) * 2 ** min(job.attempts - 1, 10)
            return Verdict(parcel, Move(job, "ready", result.reason, min(pause, LONGEST_PAUSE)))
        case Unknown():
            return Verdict(parcel, Move(job, "in_doubt", result.reason), _in_doubt(parcel))


def _sent(parcel: Parcel) -> EmailSent:
    return EmailSent(
        action_id=parcel.job.id,
        client_id=parcel.client_id,
        message_id=parcel.message_id,
        sent_at=clock.now(),
    )


def _failed(parcel: Parcel, reason: str, status: str | None = None) -> EmailFailed:
    return EmailFailed(
        action_id=parcel.job.id,
        client_id=parcel.client_id,
        message_id=parcel.message_id,
        reason=reason,
        status=status,
    )


def _in_doubt(parcel: Parcel) -> EmailInDoubt:
    return EmailInDoubt(action_id=parcel.job.id, client_id=parcel.client_id, message_id=parcel.message_id)


def _withheld(parcel: Parcel, reason: WithholdReason) -> MessageWithheld:
    return MessageWithheld(action_id=parcel.job.id, client_id=parcel.client_id, reason=reason)
