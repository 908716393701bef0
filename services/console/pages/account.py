"""Signing in and out, choosing a company, language and theme."""

import asyncio
import logging
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from chassis.database import transaction
from services.console.accounts import (
    account_of,
    close_session,
    must_wait,
    open_session,
    prefer,
    remember_failure,
)
from services.console.gateway import Refused, ServiceSilent
from services.console.language import LANGUAGES
from services.console.pace import host_of
from services.console.rendering import page
from services.console.visits import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    THEME_COOKIE,
    THEMES,
    SignedInDep,
    Visit,
    VisitorDep,
    keep_session,
    safe_return,
)

router = APIRouter()
log = logging.getLogger(__name__)
A_YEAR_SECONDS = 365 * 24 * 3600


@router.get("/")
async def start(visit: SignedInDep) -> Response:
    roles = visit.me.roles
    return RedirectResponse(f"/c/{next(iter(roles))}/home" if len(roles) == 1 else "/companies", status_code=303)


@router.get("/login")
async def sign_in_form(request: Request, visit: VisitorDep, back: str = "/") -> Response:
    if visit.person:
        return RedirectResponse(safe_return(back, "/"), status_code=303)
    return _form(request, visit, safe_return(back, "/"))


@router.post("/login")
async def sign_in(
    request: Request,
    visit: VisitorDep,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    _ = visit.words.gettext
    settings = visit.console.settings
    host = host_of(request)
    back = safe_return(back, "/")
    if not settings.password_sign_in:
        return _form(request, visit, back, status=403, error=_("On ne se connecte pas ici par mot de passe."))
    async with transaction(visit.console.engine) as tx:
        if await must_wait(tx, email, host, settings):
            error = _("Trop de tentatives. Réessayez dans %(minutes)s minutes.") % {
                "minutes": settings.sign_in_wait_minutes
            }
            return _form(request, visit, back, status=429, email=email, error=error)
        account_id = await account_of(tx, email, password)
        if account_id is None:
            await remember_failure(tx, email, host, settings)
            error = _("Adresse e-mail ou mot de passe incorrect.")
            return _form(request, visit, back, status=401, email=email, error=error)
        cookie = await open_session(tx, account_id, settings)
    log.info("signed in", extra={"by": f"user:{account_id}", "road": "password"})
    answer = RedirectResponse(back, status_code=303)
    keep_session(answer, cookie, settings)
    return answer


def _form(
    request: Request, visit: Visit, back: str, *, status: int = 200, email: str = "", error: str = ""
) -> Response:
    return page(
        request,
        visit,
        "sign_in.html",
        status=status,
        back=back,
        email=email,
        error=error,
        by_password=visit.console.settings.password_sign_in,
        provider=visit.console.sign_on.name if visit.console.sign_on else "",
    )


@router.post("/logout")
async def sign_out(request: Request, visit: VisitorDep) -> Response:
    """Here, and at the provider that the person came by."""
    cookie = request.cookies.get(SESSION_COOKIE)
    closed, sign_on = None, visit.console.sign_on
    if cookie:
        async with transaction(visit.console.engine) as tx:
            closed = await close_session(tx, cookie)
    answer: Response = RedirectResponse("/login", status_code=303)
    if (
        closed
        and closed.opened_by == "provider"
        and sign_on
        and (elsewhere := sign_on.end_address(closed.id_token))
    ):
        stranger = Visit(visit.console, visit.language, visit.theme, "", "/login")
        answer = page(request, stranger, "signed_out.html", elsewhere=elsewhere, provider=sign_on.name)
        # the policy of pages lets no form end at another site: the browser goes there by itself
        answer.headers["Refresh"] = f"0; url={elsewhere}"
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.post("/preferences")
async def choose_preferences(
    visit: VisitorDep,
    language: Annotated[str | None, Form()] = None,
    theme: Annotated[str | None, Form()] = None,
    back: Annotated[str, Form()] = "/",
) -> Response:
    language = language if language in LANGUAGES else None
    theme = theme if theme in THEMES else None
    answer = RedirectResponse(safe_return(back, "/"), status_code=303)
    if visit.person:
        async with transaction(visit.console.engine) as tx:
            await prefer(tx, visit.person.account_id, language=language, theme=theme)
    for name, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value:
            answer.set_cookie(
                name,
                value,
                max_age=A_YEAR_SECONDS,
                httponly=True,
                samesite="lax",
                secure=visit.console.settings.secure_cookies,
            )
    return answer


@router.get("/companies")
async def choose_company(request: Request, visit: SignedInDep) -> Response:
    companies = await asyncio.gather(*(_company(visit, company) for company in visit.me.roles))
    heard = [company for company in companies if not company["silent"]]
    return page(
        request,
        visit,
        "companies.html",
        companies=companies,
        group=_group(heard),
        largest=max((company["total"] for company in heard), default=Decimal(0)),
    )


async def _company(visit: Visit, company: str) -> dict[str, Any]:
    """One line: what the company is owed, or that its services do not answer."""
    role = visit.me.roles[company]
    seen = visit.me.portfolios.get(company)
    neighbours = visit.console.gateway.neighbours(visit.me.subject, company, role, seen)
    line: dict[str, Any] = {"company": company, "name": company, "role": role, "silent": True}
    try:
        about = await neighbours.this_company()
        if visit.console.settings.allow_as_of:
            neighbours.as_of = visit.console.settings.as_of
        owed = (await neighbours.get("reporting", "/home"))["owed"]
    except (ServiceSilent, Refused):
        return line
    amounts = {key: Decimal(owed[key]) for key in ("overdue", "upcoming", "total")}
    return {**line, **amounts, "name": about["name"], "currency": about["currency"], "silent": False}


def _group(companies: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The group's totals, where several companies share one currency."""
    currencies = {company["currency"] for company in companies}
    if len(companies) < 2 or len(currencies) != 1:
        return None
    totals = {key: sum(company[key] for company in companies) for key in ("overdue", "upcoming", "total")}
    return {**totals, "currency": currencies.pop()}
