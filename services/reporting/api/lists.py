"""Lists with filters, order and pages; each also as a CSV or XLSX file of every row."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from chassis.http import TxDep
from chassis.problems import Problem
from chassis.scopes import for_keys
from services.reporting import exports, shapes
from services.reporting.api.asking import Format, FormatDep, LanguageDep, PageDep, ViewDep
from services.reporting.people import fold, key_of
from services.reporting.queries import activities, disputes, forecast, lists, promises
from services.reporting.queries.payers import payers
from services.reporting.queries.view import View
from services.reporting.queries.wanted import FIELDS, Wanted
from services.reporting.queries.who_owes_what import who_owes_what

router = APIRouter(prefix="/companies/{company}")

Texts = Annotated[Sequence[str], Query(max_length=100)]


def asked_bounds(
    slices: Annotated[str, Query(pattern=r"^\d{1,4}(,\d{1,4}){0,5}$")] = "30,60",
) -> tuple[int, ...]:
    """Days late that close the younger slices, ascending. Answers 422 when they are not."""
    bounds = tuple(int(days) for days in slices.split(","))
    if bounds[0] < 1 or list(bounds) != sorted(set(bounds)):
        raise Problem("slices-unordered", "The slices must be ascending numbers of days", 422, slices)
    return bounds


def asked_fields(  # noqa: PLR0913, PLR0917 - one parameter per field
    tag1: Texts = (),
    tag2: Texts = (),
    tag3: Texts = (),
    tag4: Texts = (),
    tag5: Texts = (),
    tag6: Texts = (),
    tag7: Texts = (),
    tag8: Texts = (),
    tag9: Texts = (),
    tag10: Texts = (),
) -> Mapping[str, Sequence[str]]:
    """What free fields of clients may hold (rule 19.4), however it is written: ``nord`` finds ``Nord``."""
    told = (tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9, tag10)
    return {name: [key_of(value) for value in values] for name, values in zip(FIELDS, told, strict=True) if values}


FieldsDep = Annotated[Mapping[str, Sequence[str]], Depends(asked_fields)]


def wanted_with(balance: str) -> Callable[..., Wanted]:
    """The filters of a list of clients whose balance is by default this one."""

    def asked(  # noqa: PLR0913, PLR0917 - one parameter per filter
        page: PageDep,
        bounds: Annotated[tuple[int, ...], Depends(asked_bounds)],
        fields: FieldsDep,
        stopped: bool | None = None,
        late: bool | None = None,
        automatic: bool | None = None,
        level: Texts = (),
        profile: Texts = (),
        payment_mode: Texts = (),
        category: Texts = (),
        salesperson: Texts = (),
        q: Annotated[str, Query(max_length=100)] = "",
        kept_balance: Annotated[Literal["debtor", "creditor", "all"], Query(alias="balance")] = balance,  # type: ignore[assignment]
        sort: str = "-overdue",
    ) -> Wanted:
        wanted = Wanted(
            stopped=stopped,
            late=late,
            automatic=automatic,
            levels=level,
            profiles=profile,
            payment_modes=payment_mode,
            categories=category,
            salespeople=salesperson,
            fields=fields,
            words=fold(q).split(),
            balance=kept_balance,
            bounds=bounds,
            sort=sort.removeprefix("-"),
            descending=sort.startswith("-"),
            page=page,
        )
        if wanted.sort not in wanted.sorts:
            raise Problem("sort-unknown", "There is no such order", 422, sort, orders=sorted(wanted.sorts))
        return wanted

    return asked


WantedDebtors = Annotated[Wanted, Depends(wanted_with("debtor"))]
WantedClients = Annotated[Wanted, Depends(wanted_with("all"))]


@router.get("/who-owes-what", response_model=shapes.WhoOwesWhat)
@for_keys("read:clients", "read:entries")
async def get_who_owes_what(
    tx: TxDep, view: ViewDep, wanted: WantedDebtors, form: FormatDep = "json", language: LanguageDep = "fr"
) -> Any:
    """Who owes what, by age (rule 16.1)."""
    found = await who_owes_what(tx, view, wanted)
    return _answer(_with_names(found, view, form), form, language, "who-owes-what")


@router.get("/clients", response_model=shapes.WhoOwesWhat)
@for_keys("read:clients", "read:entries")
async def get_clients(
    tx: TxDep, view: ViewDep, wanted: WantedClients, form: FormatDep = "json", language: LanguageDep = "fr"
) -> Any:
    """Every client, also those who owe nothing."""
    found = await who_owes_what(tx, view, wanted)
    return _answer(_with_names(found, view, form), form, language, "clients")


def asked_activities(  # noqa: PLR0913, PLR0917 - one parameter per filter
    page: PageDep,
    client_id: str | None = None,
    actor: Texts = (),
    medium: Texts = (),
    kind: Texts = (),
    status: Texts = (),
    since: date | None = None,
    until: date | None = None,
    sort: Literal["-on", "on"] = "-on",
) -> activities.Sought:
    """The filters of the history."""
    return activities.Sought(client_id, actor, medium, kind, status, since, until, sort == "-on", page)


@router.get("/activities", response_model=shapes.Activities)
@for_keys("read:entries", "read:promises", "read:actions")
async def get_activities(
    tx: TxDep,
    view: ViewDep,
    sought: Annotated[activities.Sought, Depends(asked_activities)],
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """What was done and stated, latest first (rule 16.5)."""
    return _answer(await activities.activities(tx, view, sought), form, language, "activities")


@router.get("/promises", response_model=shapes.Promises)
@for_keys("read:promises")
async def get_promises(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: TxDep,
    view: ViewDep,
    page: PageDep,
    status: Annotated[Sequence[Literal["late", "expected", "kept", "cancelled"]], Query()] = ("late", "expected"),
    client_id: str | None = None,
    salesperson: Texts = (),
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """Promises, earliest day first (rule 10.7)."""
    found = await promises.promises(tx, view, status, client_id, page, salesperson)
    return _answer(found, form, language, "promises")


@router.get("/disputes", response_model=shapes.Disputes)
@for_keys("read:promises")
async def get_disputes(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: TxDep,
    view: ViewDep,
    page: PageDep,
    status: Annotated[Sequence[Literal["open", "closed"]], Query()] = ("open",),
    reason: Texts = (),
    client_id: str | None = None,
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """Disputes, the oldest first (rule 11.2)."""
    return _answer(await disputes.disputes(tx, view, status, reason, client_id, page), form, language, "disputes")


@router.get("/receipts", response_model=shapes.Receipts)
@for_keys("read:entries")
async def get_receipts(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: TxDep,
    view: ViewDep,
    page: PageDep,
    client_id: str | None = None,
    since: date | None = None,
    until: date | None = None,
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """Everything credited, latest first (rule 16.2)."""
    found = await lists.receipts(tx, view, client_id, lists.Period(since, until), page)
    return _answer(found, form, language, "receipts")


@router.get("/expected", response_model=shapes.ExpectedEntries)
@for_keys("read:entries")
async def get_expected(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: TxDep,
    view: ViewDep,
    page: PageDep,
    since: date | None = None,
    until: date | None = None,
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """Open lines by the day their money is expected (rule 16.8)."""
    return _answer(await forecast.expected(tx, view, since, until, page), form, language, "expected")


@router.get("/payers", response_model=shapes.Payers)
@for_keys("read:entries")
async def get_payers(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: TxDep,
    view: ViewDep,
    page: PageDep,
    score: Annotated[Sequence[Literal["A", "B", "C", "D", "E"]], Query()] = (),
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """DSO by two methods, and who pays how late (rules 17.1 to 17.3)."""
    return _answer(await payers(tx, view, score, page), form, language, "payers")


@router.get("/due-items", response_model=shapes.DueItems)
@for_keys("read:actions")
async def get_due_items(  # noqa: PLR0913, PLR0917 - one parameter per filter
    tx: TxDep,
    view: ViewDep,
    page: PageDep,
    client_id: str | None = None,
    medium: str | None = None,
    step: str | None = None,
    automatic: bool | None = None,
    disputed: bool | None = None,
    profile: Texts = (),
    payment_mode: Texts = (),
    salesperson: Texts = (),
    form: FormatDep = "json",
    language: LanguageDep = "fr",
) -> Any:
    """Entries of the actions that wait (rule 16.3)."""
    wanted = lists.OfActions(client_id, medium, step, automatic, disputed, profile, payment_mode, salesperson)
    found = await lists.due_items(tx, view, wanted, page)
    return _answer(found, form, language, "due-items")


def _with_names(found: shapes.WhoOwesWhat, view: View, form: Format) -> shapes.WhoOwesWhat:
    """In a file, profiles stand under the names that people gave them."""
    if form == "json" or not view.profile_names:
        return found
    named = [
        row.model_copy(update={"profile": view.profile_names.get(row.profile or "", row.profile)})
        for row in found.rows
    ]
    return found.model_copy(update={"rows": named})


def _answer(found: exports.Table, form: Format, language: str, name: str) -> Any:
    if form == "json":
        return found
    file_name = f"{name}-{found.as_of.isoformat()}.{form}"
    content = exports.csv_file(found, language) if form == "csv" else exports.xlsx_file(found, language)
    return Response(
        content,
        media_type=exports.MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
