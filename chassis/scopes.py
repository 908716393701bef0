"""What other systems may call with an API key: marked at each endpoint, closed everywhere else, and described."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts

from chassis.auth import Caller
from chassis.problems import Problem
from contracts.systems import SCOPES, Scope, only_reads

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

TOKEN_PATH = "/api/token"  # noqa: S105 - an address
"""Where the console gives a token for an API key."""
SECURITY_SCHEMES: dict[str, Any] = {
    "person": {"type": "http", "scheme": "bearer", "description": "Of the console, for the person at the screen"},
    "key": {
        "type": "oauth2",
        "description": "An API key of another system, exchanged at the console for a token of a few minutes",
        "flows": {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": SCOPES}},
    },
}


def for_keys(*scopes: Scope) -> Callable[[Endpoint], Endpoint]:
    """Marks what another system may call with an API key that has all these scopes; all else is closed to it.

    There it counts as a reader, or as a user where a scope changes something: never as an administrator.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.for_keys = scopes  # type: ignore[attr-defined]
        return endpoint

    return mark


def scopes_of(endpoint: Any) -> tuple[Scope, ...]:
    """The scopes that a key needs for this endpoint; none where it is closed to keys."""
    named: tuple[Scope, ...] = getattr(endpoint, "for_keys", ())
    return named


def within_scopes(request: Request, who: Caller) -> Caller:
    """Another system does what its key names, on addresses that name it. Answers 403."""
    needed = scopes_of(request.scope.get("endpoint"))
    if not needed:
        raise Problem("role-insufficient", "API keys do not open this address", 403, role=who.role)
    if missing := sorted(set(needed) - who.scopes):
        detail = f"The key lacks {', '.join(missing)}: an administrator makes another one with it."
        raise Problem(
            "scope-insufficient", "The API key does not include this", 403, detail, needed=sorted(needed)
        )
    return replace(who, role="reader" if all(map(only_reads, needed)) else "user")


def describe_callers(app: FastAPI) -> None:
    """The description of the API says of every address whether a key opens it, and by which scopes."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        schema = plain()
        schema.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        for context in iter_route_contexts(app.routes):
            path = context.path_format or ""
            for method in context.methods or ():
                if (operation := schema["paths"].get(path, {}).get(method.lower())) and "{company}" in path:
                    needed = sorted(scopes_of(context.endpoint))
                    operation["security"] = [{"person": []}, *([{"key": needed}] if needed else [])]
        return schema

    app.openapi = described  # type: ignore[method-assign]
