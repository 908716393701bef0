"""Templates to pages: Jinja2 with autoescape, one environment per language."""

import hashlib
import secrets
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.console.formatting import Formats, Number, as_decimal
from services.console.icons import icon
from services.console.language import LANGUAGES, NAMES, words
from services.console.visits import VISITOR_COOKIE, Visit
from services.console.vocabulary import Vocabulary

HERE = Path(__file__).parent
STATIC = HERE / "static"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

Segment = tuple[str, float, float]
SHORTEST = 8.0


@cache
def static(name: str) -> str:
    """The address of a static file, new whenever its content is."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def segments(
    parts: Iterable[tuple[str, Number]], of: Number | None = None, *, right: bool = False, gap: float = 0
) -> list[Segment]:
    """Coloured lengths of a bar, in thousandths of ``of`` (default: of their sum): class, start, length.

    Every positive amount is visible; ``gap`` thousandths stay free between two of them.
    """
    positive = [(name, amount) for name, value in parts if (amount := as_decimal(value)) > 0]
    whole = as_decimal(of) if of is not None else sum((amount for _, amount in positive), Decimal(0))
    if whole <= 0 or not positive:
        return []
    lengths = [(name, max(float(1000 * amount / whole), SHORTEST + gap)) for name, amount in positive]
    taken = sum(length for _, length in lengths)
    scale = min(1.0, 1000 / taken)
    start = 1000 - taken * scale if right else 0.0
    found = []
    for index, (name, length) in enumerate(lengths):
        visible = length * scale - (gap if index < len(lengths) - 1 else 0)
        found.append((name, round(start, 1), round(visible, 1)))
        start += length * scale
    return found


def pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    """Values that are their own words, for a list of choices."""
    return [(value, value) for value in values]


def profile_choices(visit: Visit, profiles: Iterable[str]) -> list[tuple[str, str]]:
    """Profiles with the names that people read, for a list of choices."""
    return [(profile, visit.profile_name(profile)) for profile in profiles]


def with_parameters(request: Request, **changes: object) -> str:
    """This page's address with some parameters changed; ``None`` takes one away."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changes]
    kept += [(name, str(value)) for name, value in changes.items() if value not in (None, "")]
    return request.url.path + (f"?{urlencode(kept)}" if kept else "")


@cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    spoken = words(language)
    made.install_gettext_callables(  # type: ignore[attr-defined]
        spoken.gettext, spoken.ngettext, newstyle=True, pgettext=spoken.pgettext, npgettext=spoken.npgettext
    )
    formats = Formats(language)
    for name in ("money", "whole_money", "amount", "whole", "percent", "day", "full_day", "short_day", "long_day"):
        made.filters[name] = getattr(formats, name)
    made.filters.update(moment=formats.moment, day_count=formats.day_count, month_name=formats.month_name)
    made.globals.update(
        icon=icon,
        static=static,
        colon=" : " if language == "fr" else ": ",
        semicolon=" ; " if language == "fr" else "; ",
        pairs=pairs,
        profile_choices=profile_choices,
        segments=segments,
        vocabulary=Vocabulary(spoken, formats),
        languages={code: NAMES[code] for code in LANGUAGES},
    )
    return made


def page(request: Request, visit: Visit, template: str, *, status: int = 200, **context: Any) -> Response:
    """A whole page for this visit."""
    text = (
        environment(visit.language)
        .get_template(template)
        .render(
            visit=visit,
            request=request,
            here=request.url.path,
            with_parameters=lambda **changes: with_parameters(request, **changes),
            **context,
        )
    )
    answer = HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})
    seed = getattr(request.state, "visitor", None)
    if seed and request.cookies.get(VISITOR_COOKIE) != seed:
        answer.set_cookie(
            VISITOR_COOKIE, seed, httponly=True, samesite="lax", secure=visit.console.settings.secure_cookies
        )
    return answer


def editing(request: Request, visit: Visit, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page with the editor of texts, whose own two style elements carry the name that the policy allows."""
    nonce = secrets.token_urlsafe(16)
    answer = page(request, visit, template, status=status, style_nonce=nonce, **context)
    policy = PAGE_POLICY.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
    answer.headers["Content-Security-Policy"] = policy
    return answer
