"""Who asks for a page, for which company, in which language; and who is sent away."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis import clock
from chassis.auth import ROLES, Role
from chassis.database import transaction
from services.console.accounts import SignedIn, signed_in_by
from services.console.formatting import Formats
from services.console.gateway import Gateway, Json, Neighbours, Refused
from services.console.language import DEFAULT_LANGUAGE, LANGUAGES, Words, words
from services.console.settings import ConsoleSettings
from services.console.single_sign_on.wiring import SingleSignOn
from services.console.vocabulary import Vocabulary

SESSION_COOKIE = "relance_session"
VISITOR_COOKIE = "relance_visitor"
LANGUAGE_COOKIE = "relance_language"
THEME_COOKIE = "relance_theme"
THEMES = ("light", "dark")
POSITIONS = re.compile(r"[a-z]+/\d+/\d+(,[a-z]+/\d+/\d+)*")
TRIES_FIELD, TRIES = "tries", re.compile(r"[0-9]{1,4}")
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"


class SignInNeeded(Exception):
    """Nobody is signed in; ``back`` is where to go on afterwards."""

    def __init__(self, back: str) -> None:
        super().__init__(back)
        self.back = back


class PageUnknown(Exception):
    """There is no such page, or none for this person."""


class NotAllowed(Exception):
    """The person's role does not include this."""


class FormForged(Exception):
    """The form does not carry the token of this session: it was made elsewhere, or the session is over."""


@dataclass(frozen=True)
class Console:
    """What all requests share."""

    settings: ConsoleSettings
    engine: AsyncEngine
    """For accounts and sessions, which belong to no company."""
    company_engine: AsyncEngine
    """For what people do in a company: sees that company alone."""
    gateway: Gateway
    sign_on: SingleSignOn | None = None
    """The provider of identities, where there is one."""


def console(request: Request) -> Console:
    shared: Console = request.app.state.console
    return shared


ConsoleDep = Annotated[Console, Depends(console)]


@dataclass
class Visit:
    """One request: the screen's language and theme, the person, the company."""

    console: Console
    language: str
    theme: str
    csrf_token: str
    path: str
    person: SignedIn | None = None
    company: str = ""
    role: Role = "reader"
    about_company: Json = field(default_factory=dict)
    as_of: date = date.min

    @property
    def formats(self) -> Formats:
        return Formats(self.language)

    @property
    def words(self) -> Words:
        return words(self.language)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.words, self.formats)

    def only_for(self, role: Role) -> None:
        """Raises ``NotAllowed`` for whoever may do less."""
        if not self.is_at_least(role):
            raise NotAllowed

    def told_refusal(self, refused: Refused) -> dict[str, str]:
        """What a service refused, for the top of a page."""
        return {"tone": "stop", "text": self.vocabulary.refusal(refused.code)}

    @property
    def may_act(self) -> bool:
        """Commands are shown, and accepted, for users and administrators only."""
        return self.is_at_least("user")

    @property
    def portfolio(self) -> tuple[str, ...] | None:
        """The sales people whose clients this person sees here; ``None`` for every client (rule 15.2)."""
        return self.me.portfolios.get(self.company)

    @property
    def sees_all(self) -> bool:
        """What is about all clients at once is shown, and done, by those who see them all."""
        return self.portfolio is None

    def is_at_least(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def me(self) -> SignedIn:
        if self.person is None:
            raise SignInNeeded(self.path)
        return self.person

    @property
    def company_name(self) -> str:
        return str(self.about_company.get("name") or self.company)

    @property
    def time_zone(self) -> str:
        return str(self.about_company.get("time_zone") or "Europe/Paris")

    @property
    def currency(self) -> str:
        return str(self.about_company.get("currency") or "EUR")

    def profile_name(self, profile: str | None) -> str:
        """What people read for a profile; the word itself where it is on no list."""
        names: Mapping[str, str] = self.about_company.get("profiles") or {}
        return names.get(profile or "", profile or "")

    def forget_company(self) -> None:
        """What is known of the company was changed just now."""
        self.console.gateway.companies.pop(self.company, None)

    def neighbours(self, at_least: str = "", portfolio: tuple[str, ...] | None = None) -> Neighbours:
        """The other services, in this person's name; reads wait for what ``at_least`` names.

        ``portfolio`` shows less to a person who sees every client; nobody sees more by it.
        """
        seen = self.portfolio if self.portfolio is not None else portfolio
        services = self.console.gateway.neighbours(self.me.subject, self.company, self.role, seen)
        services.as_of, services.at_least = self.as_of, at_least if POSITIONS.fullmatch(at_least) else ""
        return services

    def notice(self, said: Mapping[str, str], done: str, refused: str) -> dict[str, str] | None:
        """What became of the form that led here: the refusal, else the sentence that ``said`` has for ``done``."""
        if refused:
            return {"tone": "stop", "text": self.vocabulary.refusal(refused)}
        return {"tone": "ok", "text": self.words.gettext(said[done])} if done in said else None

    def url(self, page: str, **parameters: object) -> str:
        """The address of a page of this company."""
        asked = "&".join(
            f"{quote(name)}={quote(str(value), safe='')}"
            for name, value in parameters.items()
            if value not in (None, "")
        )
        return f"/c/{self.company}/{page}" + (f"?{asked}" if asked else "")


def visitor_token(visitor: str) -> str:
    """The CSRF token of someone who has not signed in yet, from the random cookie that only they have."""
    return hashlib.sha256(b"sign-in:" + visitor.encode()).hexdigest()


def _preferred(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE


def _asked_for(request: Request) -> str:
    """The page's address, without how often it was tried: its links and forms lead to the page itself."""
    kept = [part for part in request.url.query.split("&") if part and part.partition("=")[0] != TRIES_FIELD]
    return request.url.path + (f"?{'&'.join(kept)}" if kept else "")


def tries_of(request: Request) -> int:
    """How often a page that was not ready has been asked for by itself."""
    told = request.query_params.get(TRIES_FIELD, "")
    return int(told) if TRIES.fullmatch(told) else 0


def with_tries(path: str, tries: int) -> str:
    """The address by which a page is asked for once more."""
    return f"{path}{'&' if '?' in path else '?'}{TRIES_FIELD}={tries}"


async def visitor(request: Request, shared: ConsoleDep) -> Visit:
    """Anybody, signed in or not."""
    cookie = request.cookies.get(SESSION_COOKIE)
    person = None
    if cookie:
        async with transaction(shared.engine) as tx:
            person = await signed_in_by(tx, cookie, shared.settings)
    path = _asked_for(request)
    if person:
        return Visit(shared, person.language, person.theme, person.csrf_token, path, person)
    seed = request.cookies.get(VISITOR_COOKIE) or secrets.token_urlsafe(24)
    request.state.visitor = seed
    theme = request.cookies.get(THEME_COOKIE, "")
    return Visit(shared, _preferred(request), theme if theme in THEMES else "light", visitor_token(seed), path)


VisitorDep = Annotated[Visit, Depends(visitor)]


async def signed_in(visit: VisitorDep, request: Request) -> Visit:
    """Somebody who has signed in."""
    if visit.person is None:
        raise SignInNeeded(visit.path if request.method == "GET" else "/")
    return visit


SignedInDep = Annotated[Visit, Depends(signed_in)]


async def company_visit(visit: SignedInDep, company: str) -> Visit:
    """Somebody who may see this company. Others are told that there is no such page."""
    role = visit.me.roles.get(company)
    if role is None:
        raise PageUnknown
    visit.company, visit.role = company, role
    settings = visit.console.settings
    visit.about_company = await visit.neighbours().this_company()
    chosen = settings.as_of if settings.allow_as_of else None
    visit.as_of = chosen or clock.today(visit.time_zone)
    return visit


VisitDep = Annotated[Visit, Depends(company_visit)]


async def acting_visit(visit: VisitDep) -> Visit:
    """Somebody who may give commands for this company."""
    if not visit.may_act:
        raise NotAllowed
    return visit


ActingDep = Annotated[Visit, Depends(acting_visit)]


async def whole_visit(visit: VisitDep) -> Visit:
    """Somebody who sees every client of the company."""
    if not visit.sees_all:
        raise NotAllowed
    return visit


WholeCompany = Depends(whole_visit)
"""``dependencies=[WholeCompany]`` for pages about all clients at once."""


async def genuine_form(request: Request, visit: VisitorDep) -> None:
    """Every form and every htmx command carries the session's token (and a browser's own word on its origin)."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise FormForged
    sent = request.headers.get(CSRF_HEADER)
    if not sent:
        field_value = (await request.form()).get(CSRF_FIELD)
        sent = field_value if isinstance(field_value, str) else ""
    if not hmac.compare_digest(sent.encode(), visit.csrf_token.encode()):
        raise FormForged


def keep_session(answer: Response, cookie: str, settings: ConsoleSettings) -> None:
    """Give the browser the cookie of a session."""
    answer.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )


def safe_return(path: str | None, otherwise: str) -> str:
    """``path`` when it leads to a page of this console, never elsewhere."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return otherwise
    parts = urlsplit(path)
    return otherwise if parts.scheme or parts.netloc else path
