"""Refusals, named as the fact that stands in the way and carrying its ids; the edges find the words."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID


class Refusal(Exception):
    """A statement that cannot be accepted as things stand; its text is a sentence without personal data."""


class Unknown(Refusal):
    """What the statement speaks of does not exist here."""


@dataclass(eq=False)
class UnknownCompany(Unknown):
    company: str

    def __str__(self) -> str:
        return f"The company {self.company} is not registered."


@dataclass(eq=False)
class UnknownClient(Unknown):
    client_id: str

    def __str__(self) -> str:
        return f"The client {self.client_id} is not known."


@dataclass(eq=False)
class UnknownEntry(Unknown):
    client_id: str
    entry_id: str

    def __str__(self) -> str:
        return f"The client {self.client_id} has no entry {self.entry_id}."


@dataclass(eq=False)
class UnknownPromise(Unknown):
    promise_id: UUID

    def __str__(self) -> str:
        return f"There is no promise {self.promise_id}."


@dataclass(eq=False)
class UnknownContact(Unknown):
    contact_id: UUID

    def __str__(self) -> str:
        return f"There is no contact {self.contact_id}."


@dataclass(eq=False)
class UnknownDocument(Unknown):
    document_id: UUID

    def __str__(self) -> str:
        return f"There is no document {self.document_id}."


@dataclass(eq=False)
class UnknownProfile(Unknown):
    profile: str

    def __str__(self) -> str:
        return f"There is no profile {self.profile}."


@dataclass(eq=False)
class ProfileNameTaken(Refusal):
    name: str

    def __str__(self) -> str:
        return f"A profile is already named {self.name}."


@dataclass(eq=False)
class ProfileInUse(Refusal):
    profile: str
    clients: int

    def __str__(self) -> str:
        return f"{self.clients} clients have the profile {self.profile}: choose the one that takes them over."


@dataclass(eq=False)
class ProfileIsDefault(Refusal):
    profile: str

    def __str__(self) -> str:
        return f"{self.profile} is the default profile: make another one the default first."


@dataclass(eq=False)
class ProfileTakesOverItself(Refusal):
    profile: str

    def __str__(self) -> str:
        return f"{self.profile} cannot take over its own clients: it is being deleted."


@dataclass(eq=False)
class PromiseInThePast(Refusal):
    client_id: str
    entry_id: str
    promised_on: date
    as_of: date

    def __str__(self) -> str:
        return f"A payment cannot be promised for {self.promised_on}: today is {self.as_of}."


@dataclass(eq=False)
class PromiseTooFar(Refusal):
    """A debtor promises at most so far ahead (rule 10.9)."""

    client_id: str
    entry_id: str
    promised_on: date
    not_after: date

    def __str__(self) -> str:
        return f"A payment cannot be promised for {self.promised_on}: {self.not_after} is the last day."


@dataclass(eq=False)
class EntryAlreadyPromised(Refusal):
    """A debtor does not put a promise off by another (rule 10.9)."""

    client_id: str
    entry_id: str
    promised_on: date

    def __str__(self) -> str:
        return f"The entry {self.entry_id} is already promised for {self.promised_on}."


@dataclass(eq=False)
class PromiseOfNothing(Refusal):
    """The promised amount is zero or less."""

    client_id: str
    entry_id: str
    amount: Decimal

    def __str__(self) -> str:
        return f"A promise needs an amount above zero, not {self.amount}."


@dataclass(eq=False)
class EntryAlreadyLettered(Refusal):
    client_id: str
    entry_id: str

    def __str__(self) -> str:
        return f"The entry {self.entry_id} is already settled."


@dataclass(eq=False)
class EntryIsACredit(Refusal):
    """Nobody promises to pay a credit."""

    client_id: str
    entry_id: str

    def __str__(self) -> str:
        return f"The entry {self.entry_id} is a credit: nothing is owed on it."


@dataclass(eq=False)
class PromiseAlreadyKept(Refusal):
    client_id: str
    promise_id: UUID

    def __str__(self) -> str:
        return f"The promise {self.promise_id} was already kept."


@dataclass(eq=False)
class PromiseAlreadyCancelled(Refusal):
    client_id: str
    promise_id: UUID

    def __str__(self) -> str:
        return f"The promise {self.promise_id} was already cancelled."


@dataclass(eq=False)
class ClientAlreadyStopped(Refusal):
    client_id: str

    def __str__(self) -> str:
        return f"Reminders to the client {self.client_id} are already stopped."


@dataclass(eq=False)
class ClientNotStopped(Refusal):
    client_id: str

    def __str__(self) -> str:
        return f"Reminders to the client {self.client_id} are not stopped."


@dataclass(eq=False)
class EntryAlreadyStopped(Refusal):
    client_id: str
    entry_id: str

    def __str__(self) -> str:
        return f"Reminders on the entry {self.entry_id} are already stopped."


@dataclass(eq=False)
class EntryNotStopped(Refusal):
    client_id: str
    entry_id: str

    def __str__(self) -> str:
        return f"Reminders on the entry {self.entry_id} are not stopped."


@dataclass(eq=False)
class MergeIntoItself(Refusal):
    """Directly, or by way of merges that stand."""

    client_id: str
    into: str

    def __str__(self) -> str:
        return f"The client {self.client_id} cannot be merged into {self.into}: they are one already."


@dataclass(eq=False)
class ClientAlreadyMerged(Refusal):
    client_id: str
    into: str

    def __str__(self) -> str:
        return f"The client {self.client_id} was already merged into {self.into}."


@dataclass(eq=False)
class OneOfThemErased(Refusal):
    """Two codes become one person: merging would bring the erased one back, or erase the other unasked."""

    erased: str
    kept: str

    def __str__(self) -> str:
        return (
            f"The person behind the client {self.erased} was erased, that behind {self.kept} was not:"
            " erase or admit one of them first."
        )


@dataclass(eq=False)
class PersonNotErased(Refusal):
    client_id: str

    def __str__(self) -> str:
        return f"The person behind the client {self.client_id} was not erased."


@dataclass(eq=False)
class StopEndsInThePast(Refusal):
    """A stop that ends today or before would stop nothing."""

    client_id: str
    resumes_on: date
    as_of: date

    def __str__(self) -> str:
        return f"A stop cannot end on {self.resumes_on}: today is {self.as_of}."


@dataclass(eq=False)
class UnknownDispute(Unknown):
    dispute_id: UUID

    def __str__(self) -> str:
        return f"There is no dispute {self.dispute_id}."


@dataclass(eq=False)
class UnknownDisputeReason(Refusal):
    client_id: str
    reason: str
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.reason} is not a reason of this company: {', '.join(self.reasons)}."


@dataclass(eq=False)
class DisputeAlreadyOpen(Refusal):
    """``entry_id`` is ``None`` for a dispute of the whole account."""

    client_id: str
    entry_id: str | None
    dispute_id: UUID

    def __str__(self) -> str:
        what = "The account" if self.entry_id is None else f"The entry {self.entry_id}"
        return f"{what} is already in dispute."


@dataclass(eq=False)
class DisputeAlreadyClosed(Refusal):
    client_id: str
    dispute_id: UUID

    def __str__(self) -> str:
        return f"The dispute {self.dispute_id} was already closed."


@dataclass(eq=False)
class EntryNotRepositioned(Refusal):
    client_id: str
    entry_id: str

    def __str__(self) -> str:
        return f"The entry {self.entry_id} stands on its due date."


@dataclass(eq=False)
class ExpectedInThePast(Refusal):
    """Money is expected today or later."""

    client_id: str
    entry_id: str
    expected_on: date
    as_of: date

    def __str__(self) -> str:
        return f"Money cannot be expected on {self.expected_on}: today is {self.as_of}."


@dataclass(eq=False)
class ClientAlreadyFlagged(Refusal):
    client_id: str

    def __str__(self) -> str:
        return f"The client {self.client_id} is already flagged."


@dataclass(eq=False)
class ClientNotFlagged(Refusal):
    client_id: str

    def __str__(self) -> str:
        return f"The client {self.client_id} is not flagged."
