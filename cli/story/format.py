"""The words a story may use: company, scenarios, clients, and the days. Anything else is refused."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from contracts.dunning import PolicyChanged, SendingCalendar
from contracts.event import Currency

Money = Annotated[Decimal, Field(max_digits=18, decimal_places=4)]


class Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Calendar(SendingCalendar):
    """Of the company, or what a step has otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Company(PolicyChanged):
    """The policy, any option by name, the bookkeeping currency, and the country whose holidays count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    currency: Currency = "EUR"
    country: str = "FR"
    calendar: Calendar = Calendar()


class StepLine(Line):
    step: str
    medium: str
    delay: int
    counted_from: str = Field("due_date", alias="from")
    mode: str = "manual"
    template: str | None = None
    ignorable: bool = False
    enabled: bool = True
    end_of_month: bool = False
    from_end_of_month: bool = False
    calendar: Calendar | None = None


class Variants(Line):
    """Both columns of a scenario, when the steps of one do not follow from the other."""

    with_email: tuple[StepLine, ...] = ()
    without_email: tuple[StepLine, ...] = ()
    thanks_since: date = date.min


def _as_variants(value: Any) -> Any:
    """A bare list is the variant with e-mail; the other one follows from it when the story is told."""
    return {"with_email": value} if isinstance(value, list) else value


class Client(Line):
    name: str | None = None
    profile: str | None = None
    email: str | None = None
    payment_mode: str | None = None
    category: str | None = None
    salesperson: str | None = None


class Book(Line):
    """A line of accounting. Without ``due`` a credit is due on its own date (rule 22.18)."""

    client: str
    entry: str
    amount: Money = Field(gt=0)
    currency: Currency | None = None
    due: date | None = None
    dated: date | None = Field(None, alias="date")
    invoice_date: date | None = None
    payment_mode: str | None = None
    book_amount: Money | None = Field(None, gt=0)


class Invoice(Book):
    due: date


class Letter(Line):
    entries: tuple[str, ...] = Field(min_length=1)
    code: str


class Unletter(Line):
    code: str
    client: str


class Change(Line):
    """Accounting changes a line it had given before."""

    entry: str
    amount: Money | None = Field(None, gt=0)
    due: date | None = None
    payment_mode: str | None = None


class Remove(Line):
    entry: str


class Promise(Line):
    entry: str
    amount: Money = Field(gt=0)
    on: date


class CancelPromise(Line):
    entry: str
    on: date


class Whom(Line):
    """A client, or one entry."""

    client: str | None = None
    entry: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Whom":
        if (self.client is None) == (self.entry is None):
            raise ValueError("give a client or an entry, one of them")
        return self


class Stop(Whom):
    """Until somebody resumes, or until ``resumes_on``."""

    resumes_on: date | None = None


class Dispute(Whom):
    """A client's whole account, or one entry."""

    reason: str = "other"


class Reposition(Line):
    """Money is expected on another day; ``null`` gives the entry back to its due date."""

    entry: str
    on: date | None


class ClientChange(Line):
    """What accounting or a person changes about a client; what is not given stays."""

    client: str
    profile: str | None = None
    email: str | None = None
    payment_mode: str | None = None


class ScenarioEdit(Line):
    """A profile's scenario from now on, whole; entries keep their place."""

    profile: str
    steps: Annotated[Variants, BeforeValidator(_as_variants)]


class Contact(Line):
    """A person called the client, or saw them, of their own accord."""

    client: str


class OwnPolicy(Line):
    """What the client has otherwise than the company, whole."""

    client: str
    profile: str | None = None
    never: bool = False
    tolerance_days: int | None = None
    tolerance_amount: Money | None = None


class Automatic(Line):
    """Opted in (true), out (false), or as the policy says (null)."""

    entries: tuple[str, ...] = Field(min_length=1)
    chosen: bool | None


class Nothing(Line):
    pass


class Which(Line):
    """Open actions by client, step, or both."""

    client: str | None = None
    step: str | None = None


Choice = Which | Literal["all"]


class Act(Line):
    """A person acts by criteria (rule 9.8): one message to every late client that fits and that no rule excludes,
    and to the excluded ones of ``include``. ``level`` may be ``none``; days are least and most.
    """

    profile: str | None = None
    category: str | None = None
    salesperson: str | None = None
    payment_mode: str | None = None
    level: str | None = Field(None, pattern=r"^(none|R[1-7])$")
    has_email: bool | None = None
    days_late_from: int | None = Field(None, ge=0)
    days_late_to: int | None = Field(None, ge=0)
    days_since_reminder_from: int | None = Field(None, ge=0)
    days_since_reminder_to: int | None = Field(None, ge=0)
    medium: Literal["email", "letter", "phone", "other"] = "email"
    template: str | None = None
    counts: bool = True
    include: tuple[str, ...] = ()


class ExpectedAction(Line):
    client: str | None = None
    step: str
    medium: str | None = None
    currency: str | None = None
    amount: Money | None = None
    net_amount: Money | None = None
    entries: tuple[str, ...] | None = None
    automatic: bool | None = None


class Expected(Line):
    """What the last round must have given; what is not named is not checked.

    ``actions`` are all the new ones, ``kept`` all the older ones still open, ``next`` and ``excluded`` speak of
    other entries, ``levels`` of the levels as they are now, ``exhausted`` of the entries whose end was said.
    ``acted`` are all the actions of the last ``act``, which needs no round before.
    """

    actions: tuple[ExpectedAction, ...] | None = None
    kept: tuple[ExpectedAction, ...] | None = None
    withdrawn: tuple[str, ...] | None = None
    next: dict[str, date] = Field(default_factory=dict)
    excluded: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    ended: dict[str, str] = Field(default_factory=dict)
    levels: dict[str, str | None] = Field(default_factory=dict)
    exhausted: tuple[str, ...] | None = None
    acted: tuple[ExpectedAction, ...] | None = None


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Rounds(Line):
    """Rounds held by themselves, after everything else of their day; actions are carried out on the same day
    where ``carry_out`` says which.
    """

    first: date = Field(alias="from")
    until: date
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    carry_out: Choice | None = None

    @model_validator(mode="after")
    def _some(self) -> "Rounds":
        if self.until < self.first:
            raise ValueError("the last round comes before the first")
        return self

    def days(self) -> Iterator[date]:
        for number in range((self.until - self.first).days + 1):
            on = self.first + timedelta(days=number)
            if WEEKDAYS[on.weekday()] in self.weekdays:
                yield on


class Happening(Line):
    """One thing of a day: a mapping with exactly one of these keys."""

    invoice: Invoice | None = None
    credit_note: Book | None = None
    payment: Book | None = None
    letter: Letter | None = None
    unletter: Unletter | None = None
    change: Change | None = None
    remove: Remove | None = None
    promise: Promise | None = None
    cancel_promise: CancelPromise | None = None
    stop: Stop | None = None
    resume: Whom | None = None
    dispute: Dispute | None = None
    close_dispute: Whom | None = None
    reposition: Reposition | None = None
    client: ClientChange | None = None
    policy: dict[str, Any] | None = None
    own_policy: OwnPolicy | None = None
    automatic: Automatic | None = None
    contact: Contact | None = None
    silence: Nothing | None = None
    sync: Nothing | None = None
    scenario: ScenarioEdit | None = None
    round: Nothing | None = None
    act: Act | None = None
    confirm: Choice | None = None
    carry_out: Choice | None = None
    fail: Choice | None = None
    expect: Expected | None = None

    @model_validator(mode="after")
    def _one(self) -> "Happening":
        if len(self.model_fields_set) != 1 or self.word() is None:
            words = ", ".join(type(self).model_fields)
            raise ValueError(f"each thing of a day has exactly one of these words: {words}")
        return self

    def word(self) -> str | None:
        return next((word for word in self.model_fields_set if getattr(self, word) is not None), None)


class Story(Line):
    company: Company = Company()
    scenarios: dict[str, Annotated[Variants, BeforeValidator(_as_variants)]] | None = None
    clients: dict[str, Client] = Field(min_length=1)
    rounds: Rounds | None = None
    days: dict[date, tuple[Happening, ...]] = Field(min_length=1)
