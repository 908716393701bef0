"""What notify says: what left, what came back, what was held."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from contracts.event import Amount, ClientId, Currency, EntryId, Event, Fact


class EmailSent(Event):
    """The mail server took the message. ``message_id`` is its RFC 5322 Message-ID, the same on every attempt."""

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    message_id: str
    sent_at: datetime


class EmailOpened(Event):
    """The message was opened, perhaps by a machine (``by_machine`` is a guess, ``None`` when there is none).

    Said at most once for machines and once for people. ``machine`` is why it is thought to be one: ``too_soon``
    after it was sent, or ``agent``, what the program calls itself.
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    message_id: str
    opened_at: datetime
    by_machine: bool | None = None
    machine: str | None = None


class EmailBounced(Event):
    """The message came back from one of its recipients (rule 22.31); the level stays (rule 22.16).

    ``kind`` is ``hard`` where the address does not exist, ``soft`` where only this message did not arrive,
    ``complaint`` where the recipient called it unwanted; ``None`` in events from before it was told. ``permanent``
    is that it is hard. ``status`` is the mail server's code (RFC 3463), or empty; ``reason`` is a code of ours.
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    message_id: str
    status: str
    permanent: bool
    kind: str | None = None
    reason: str | None = None


class ReplyReceived(Event):
    """A person answered the message by mail (rule 22.33). What was written stays in notify and in the mailbox.

    ``from_recipient``: by one of the addresses that it was sent to. ``received_at`` is when the answer was read.
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    message_id: str
    received_at: datetime
    from_recipient: bool = False


class ReplyHandled(Event):
    """Somebody of the company saw to the answers that this message got until now."""

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId


class EmailFailed(Event):
    """The message did not leave and will not: the action reopens (rule 22.16). ``reason`` is a code.

    ``status`` is the mail server's answer without its words: ``550 5.1.1`` (RFC 3463).
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    message_id: str
    reason: str
    status: str | None = None


class EmailInDoubt(Event):
    """The process died between handing the message to the mail server and hearing its answer: a person decides."""

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    message_id: str


class MessageWithheld(Event):
    """The last look before sending found a reason not to: paid, stopped, promised, withdrawn."""

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    reason: str


class LetterPrepared(Event):
    """The letter was made and is kept as it is printed: the step is done (rule 5.3).

    ``done_on`` is the day on which a person wrote it by other means, where that is not the day of saying so.
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    done_on: date | None = None


class LetterPosted(Event):
    """A person posted the letter, on ``done_on`` where that is not the day of saying so.

    The number of a registered letter stays in notify.
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    done_on: date | None = None
    registered: bool = False


class CallLogged(Event):
    """A person made the call; ``outcome`` is a code, the comment stays in notify.

    ``done_on`` is the day of the call where that is not the day of saying so.
    """

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    outcome: str
    done_on: date | None = None


class OtherContactLogged(Event):
    """A visit, a message of another kind; as ``CallLogged``."""

    speaker: ClassVar[str] = "notify"
    action_id: UUID
    client_id: ClientId
    outcome: str
    done_on: date | None = None


class DebtorAnswered(Event):
    """The debtor said something by itself, through its private link; what it said is the event that caused this.

    ``answer`` is ``promise`` or ``dispute``, ``about`` the promise or dispute that ledger recorded. Words and
    files stay in ledger. Without ``entry_id`` it is about the whole account.
    """

    speaker: ClassVar[str] = "notify"
    client_id: ClientId
    answer: str
    about: UUID
    entry_id: EntryId | None = None


class PaidEntry(Fact):
    """A line that an online payment covers: an invoice, or a credit that was taken off. ``amount`` is debit minus
    credit, as it stood then.
    """

    entry_id: EntryId
    amount: Amount


class PaymentLinkPaid(Event):
    """The debtor paid online, and the provider has the money: these lines are not reminded of until accounting
    letters them (rule 8.6). ``amount`` is what was paid, the sum of ``entries``. The lines in ``paid_before`` had
    been paid online by another payment: what this one paid for them is to be given back.
    """

    speaker: ClassVar[str] = "notify"
    payment_id: UUID
    client_id: ClientId
    amount: Amount
    currency: Currency
    paid_at: datetime
    entries: tuple[PaidEntry, ...]
    provider: str = "stripe"
    paid_before: tuple[EntryId, ...] = ()


class PaymentReturned(Event):
    """Money of an online payment went back: given back by the company, or taken back by the debtor's bank.

    ``amount`` is all that went back until now; it falls when a refund fails. The lines in ``freed`` are owed
    again, those in ``held`` stay paid until accounting letters them (rule 8.6). The last telling of a payment
    counts. ``why`` is ``refunded``, or ``charged_back`` where a bank had part in it.
    """

    speaker: ClassVar[str] = "notify"
    payment_id: UUID
    client_id: ClientId
    amount: Amount
    currency: Currency
    why: str
    returned_at: datetime
    freed: tuple[EntryId, ...] = ()
    held: tuple[EntryId, ...] = ()


class ContentsExpired(Event):
    """Contents that had their time were erased; that the messages left stays. Counts of what is gone now."""

    speaker: ClassVar[str] = "notify"
    messages: int = 0
    letters: int = 0
    comments: int = 0
    drafts: int = 0
    answers: int = 0
    reports: int = 0
    attachments: int = 0
    archive: int = 0
