"""Templates to debtors' pages: no person, no session, nothing kept by browsers or search engines."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from services.console.language import DEFAULT_LANGUAGE, LANGUAGES
from services.console.rendering import environment

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SAID = ("done", "refused")
"""What a page tells once."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
}


def shown(request: Request, template: str, language: str, *, status: int = 200, **context: Any) -> Response:
    """A whole page."""
    text = (
        environment(language)
        .get_template(template)
        .render(
            language=language,
            request=request,
            here_in=lambda other: _in_language(request, other),
            **context,
        )
    )
    return HTMLResponse(text, status_code=status)


def _in_language(request: Request, language: str) -> str:
    """This page's address in another language, without what it tells once; of an answer, that of the statement."""
    path = request.url.path if request.method == "GET" else request.url.path.rpartition("/")[0]
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in {*SAID, "lang"}]
    return f"{path}?{urlencode([*kept, ('lang', language)])}"


def preferred(request: Request) -> str:
    """The language of somebody of whom nothing is known."""
    for part in request.headers.get("accept-language", "").split(","):
        language = part.split(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE
