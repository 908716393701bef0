"""Every error a service answers, as RFC 9457 ``application/problem+json``."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import ProgrammingError
from starlette.exceptions import HTTPException

from chassis.database import is_transient
from chassis.derivation import OtherVersion

MEDIA_TYPE = "application/problem+json"

log = logging.getLogger(__name__)


class Problem(Exception):
    """An answer other than success. ``type`` is a stable kebab-case code; ``extensions`` are further members."""

    def __init__(self, type: str, title: str, status: int, detail: str | None = None, **extensions: Any) -> None:
        super().__init__(detail or title)
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.extensions = extensions

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        members: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail is not None:
            members["detail"] = self.detail
        return {**jsonable_encoder(self.extensions), **members}

    def response(self) -> Response:
        headers = {"WWW-Authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else None
        return JSONResponse(self.body(), self.status, headers=headers, media_type=MEDIA_TYPE)


def refusal(fact: Exception, status: int) -> Problem:
    """A domain's refusal as a problem: its class names the type, its public attributes are the extensions."""
    name = type(fact).__name__
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    facts = {key: value for key, value in vars(fact).items() if not key.startswith("_")}
    for reserved in ("type", "title", "status", "detail"):
        facts.pop(reserved, None)
    detail = str(fact) if str(fact) and str(fact) != name else None
    return Problem(words.lower().replace(" ", "-"), words.capitalize(), status, detail, **facts)


def install(app: FastAPI, refusals: Mapping[type[Exception], int]) -> None:
    """Makes ``app`` answer every error as a problem document; ``refusals`` maps domain facts to a status."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, problem: Problem) -> Response:
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, invalid: RequestValidationError) -> Response:
        errors = [
            {"where": ".".join(map(str, error["loc"])), "message": error["msg"], "type": error["type"]}
            for error in invalid.errors()
        ]
        return Problem(
            "invalid-request", "The request does not have the expected form", 422, errors=errors
        ).response()

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        detail = error.detail if error.detail != phrase else None
        return Problem(
            phrase.lower().replace(" ", "-").replace("'", ""), phrase, error.status_code, detail
        ).response()

    @app.exception_handler(ProgrammingError)
    @app.exception_handler(InsufficientPrivilege)
    async def on_foreign_row(request: Request, error: Exception) -> Response:
        """A row that the caller may not write, as ``chassis.portfolio`` says; whatever else it is surprises."""
        cause = getattr(error, "orig", error)
        if not isinstance(cause, InsufficientPrivilege) or "row-level security" not in str(cause):
            raise error
        return Problem("client-unknown", "There is no such client", 404).response()

    @app.exception_handler(OtherVersion)
    async def on_other_version(request: Request, other: OtherVersion) -> Response:
        """Another replica answers, or this one after its release was rolled out."""
        return Problem("try-again", "A new version is being put in place", 503).response()

    @app.exception_handler(Exception)
    async def on_surprise(request: Request, surprise: Exception) -> Response:
        if is_transient(surprise):
            return Problem("try-again", "The database is away or busy", 503).response()
        return Problem(
            "internal-error", "The service failed on this request", 500, "The failure was logged."
        ).response()

    async def on_refusal(request: Request, fact: Exception) -> Response:
        status = next(refusals[kind] for kind in type(fact).__mro__ if kind in refusals)
        return refusal(fact, status).response()

    for kind in refusals:
        app.add_exception_handler(kind, on_refusal)
