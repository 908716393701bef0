"""What becomes of a message: where its job moves, and what is said. Decided here, recorded by ``recording``."""

import re
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
REWRITE_PAUSE = timedelta(seconds=1)
ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
REMOVED = "…"
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
    """The last look: may the mail leave, as things stand in this transaction?

    ``now`` is ``parcel.looked`` where nothing changed since the mail was written: that was judged then.
    """
    job = parcel.job
    if now is not None and now is parcel.looked:
        return _leave(parcel, now.person_version)
    if now is None:
        return Verdict(parcel, Move(job, "ready", "the action is not heard yet", NOT_HEARD_PAUSE))
    if now.sent:
        return Verdict(parcel, Move(job, "done"))
    action = now.action
    reason = last_look(action, now.now, parcel.as_of, frozenset(action.accepted_reasons))
    match reason:
        case None:
            return _leave(parcel, now.person_version)
        case NotYetHeard():
            return Verdict(parcel, Move(job, "ready", reason, NOT_HEARD_PAUSE))
        case WithholdReason():
            return Verdict(parcel, Move(job, "failed", f"withheld: {reason}"), _withheld(parcel, reason))


def _leave(parcel: Parcel, person_version: int) -> Verdict:
    if parcel.mail is not None and parcel.person_version < person_version:
        # it waited since: it would go to an address that was changed or erased, and be kept with it
        return Verdict(parcel, Move(parcel.job, "ready", "the person changed since it was written", REWRITE_PAUSE))
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
            return Verdict(parcel, Move(job, "failed", without_addresses(result.answer, parcel)), said)
        case PutOff() if clock.now() - parcel.due_at > timedelta(hours=settings.give_up_after_hours):
            reason = without_addresses(result.reason, parcel)
            return Verdict(parcel, Move(job, "failed", reason), _failed(parcel, GAVE_UP))
        case PutOff():
            reason = without_addresses(result.reason, parcel)
            pause = timedelta(seconds=settings.retry_seconds) * 2 ** min(job.attempts - 1, 10)
            return Verdict(parcel, Move(job, "ready", reason, min(pause, LONGEST_PAUSE)))
        case Unknown():
            return Verdict(
                parcel, Move(job, "in_doubt", without_addresses(result.reason, parcel)), _in_doubt(parcel)
            )


def without_addresses(answer: str, parcel: Parcel) -> str:
    """What a mail server said, for the job, which outlives the person: no address, nor the part of the
    recipients' own that servers name alone (``No such user: alice``)."""
    kept = ADDRESS.sub(REMOVED, answer)
    for recipient in parcel.mail.recipients if parcel.mail else ():
        alone = re.escape(recipient.partition("@")[0])
        kept = re.sub(rf"(?<!\w){alone}(?!\w)", REMOVED, kept, flags=re.IGNORECASE)
    return kept


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
