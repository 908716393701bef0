"""What notify says of a message."""

from chassis import clock
from contracts.notify import EmailFailed, EmailInDoubt, EmailSent, MessageWithheld
from services.notify.domain import WithholdReason
from services.notify.writing import Parcel


def sent(parcel: Parcel) -> EmailSent:
    return EmailSent(
        action_id=parcel.job.id,
        client_id=parcel.client_id,
        message_id=parcel.message_id,
        sent_at=clock.now(),
    )


def failed(parcel: Parcel, reason: str, status: str | None = None) -> EmailFailed:
    return EmailFailed(
        action_id=parcel.job.id,
        client_id=parcel.client_id,
        message_id=parcel.message_id,
        reason=reason,
        status=status,
    )


def in_doubt(parcel: Parcel) -> EmailInDoubt:
    return EmailInDoubt(action_id=parcel.job.id, client_id=parcel.client_id, message_id=parcel.message_id)


def withheld(parcel: Parcel, reason: WithholdReason) -> MessageWithheld:
    return MessageWithheld(action_id=parcel.job.id, client_id=parcel.client_id, reason=reason)
