"""The pages of the sink, in French, and its JSON for programs."""

import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.base import RequestResponseEndpoint

from cli.sink.smtp import Behaviour, Handler
from cli.sink.store import Read, Store

PER_PAGE = 50

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
_MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""A mail may style itself; it loads nothing and runs nothing."""


def _page(name: str, **values: Any) -> HTMLResponse:
    nonce = token_urlsafe(12)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; frame-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(
        _PAGES.get_template(f"{name}.html.j2").render(nonce=nonce, when=_when, **values),
        headers={"Content-Security-Policy": policy},
    )


def _when(instant: str) -> str:
    """``21/11/2026 19:40:02`` in this machine's time zone."""
    return datetime.fromisoformat(instant).astimezone().strftime("%d/%m/%Y %H:%M:%S")


def create_app(store: Store, handler: Handler) -> FastAPI:
    """Pages at ``/`` and ``/mails/{id}``; JSON under ``/api``."""
    app = FastAPI(title="Relance sink", docs_url=None, redoc_url=None, openapi_url=None)

    @app.middleware("http")
    async def harden(request: Request, call_next: RequestResponseEndpoint) -> Response:
        answer = await call_next(request)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("Referrer-Policy", "no-referrer")
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    app.include_router(_for_people(store))
    app.include_router(_for_programs(store), prefix="/api")
    app.include_router(_behaving(handler), prefix="/api")
    return app


def _for_people(store: Store) -> APIRouter:
    """What came in, as pages."""
    router = APIRouter()

    @router.get("/")
    async def listing(page: Annotated[int, Query(ge=1)] = 1, q: str = "") -> HTMLResponse:
        mails = store.list(limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE, search=q)
        return _page(
            "list",
            title="Boîte d’essai",
            mails=mails[:PER_PAGE],
            more=len(mails) > PER_PAGE,
            page=page,
            search=q,
            count=store.count(),
        )

    @router.get("/mails/{mail_id}")
    async def one(mail_id: int, view: str = "html") -> HTMLResponse:
        read = _read(store, mail_id)
        return _page("one", title=read.mail.subject or "(sans objet)", read=read, view=view)

    @router.get("/mails/{mail_id}/html")
    async def html(mail_id: int) -> HTMLResponse:
        return HTMLResponse(_read(store, mail_id).html, headers={"Content-Security-Policy": _MAIL_POLICY})

    @router.get("/mails/{mail_id}/raw")
    async def raw(mail_id: int) -> Response:
        found = store.raw(mail_id)
        if found is None:
            raise HTTPException(404)
        return PlainTextResponse(found)

    return router


def _for_programs(store: Store) -> APIRouter:
    """What came in, as JSON."""
    router = APIRouter()

    @router.get("/process")
    async def process() -> dict[str, int]:
        """Who answers here: another sink may have been quicker to take this port."""
        return {"pid": os.getpid()}

    @router.get("/count")
    async def count() -> dict[str, int]:
        """``distinct`` counts Message-IDs: fewer than ``count`` means that a message came twice."""
        return {"count": store.count(), "distinct": store.distinct()}

    @router.get("/mails")
    async def mails(
        limit: Annotated[int, Query(ge=1, le=100_000)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
        q: str = "",
    ) -> dict[str, Any]:
        """The newest first."""
        return {
            "count": store.count(),
            "mails": [asdict(mail) for mail in store.list(limit=limit, offset=offset, search=q)],
        }

    @router.get("/mails/{mail_id}")
    async def mail(mail_id: int) -> dict[str, Any]:
        return asdict(_read(store, mail_id))

    @router.delete("/mails")
    async def clear() -> dict[str, int]:
        store.clear()
        return {"count": 0}

    return router


def _behaving(handler: Handler) -> APIRouter:
    """How the mail server that the sink plays treats its clients."""
    router = APIRouter()

    @router.get("/behaviour")
    async def behaviour() -> Behaviour:
        return handler.behaviour

    @router.put("/behaviour")
    async def behave(wanted: Behaviour) -> Behaviour:
        """Replace the behaviour; ``{}`` is a sane server again."""
        handler.behaviour = wanted
        return wanted

    return router


def _read(store: Store, mail_id: int) -> Read:
    found = store.read(mail_id)
    if found is None:
        raise HTTPException(404)
    return found
