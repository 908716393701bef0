"""What every question may say: the day, which page of a list, and in which form the answer is wanted."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Query

from chassis.http import AsOfDep, CompanyDep, TxDep, at_least
from services.reporting.queries.view import Page, View, view

MOST_ROWS = 500
ALL_ROWS = 1_000_000

Format = Literal["json", "csv", "xlsx"]
FormatDep = Annotated[Format, Query(alias="format")]
LanguageDep = Annotated[Literal["fr", "en"], Query()]


async def asked_view(
    tx: TxDep,
    company: CompanyDep,
    business_date: AsOfDep,
    _heard: Annotated[None, Depends(at_least)],
    as_of: Annotated[date | None, Query()] = None,
) -> View:
    """The company on the day asked for, by default its own day. Looking at another day changes nothing."""
    return await view(tx, company, as_of or business_date)


ViewDep = Annotated[View, Depends(asked_view)]


def asked_page(
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 15,
    form: FormatDep = "json",
) -> Page:
    """A page of the list; a file holds every row."""
    return Page(page, size) if form == "json" else Page(1, ALL_ROWS)


PageDep = Annotated[Page, Depends(asked_page)]
