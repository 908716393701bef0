"""The Tabler icons that the pages use, put inline so that no font is shipped and no style is needed."""

from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

VENDOR = Path(__file__).parent / "static" / "vendor"

NAMES = (
    "adjustments-horizontal",
    "alert-circle",
    "arrow-back-up",
    "arrow-down",
    "arrow-forward-up",
    "arrow-right",
    "arrow-up",
    "bell",
    "blockquote",
    "bold",
    "building",
    "calendar-event",
    "calendar-x",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-check",
    "clock-exclamation",
    "corner-down-left",
    "dots",
    "dots-vertical",
    "download",
    "edit",
    "eye",
    "file-spreadsheet",
    "file-type-csv",
    "filter",
    "flag",
    "git-branch",
    "git-merge",
    "hand-stop",
    "heading",
    "heart-handshake",
    "home",
    "italic",
    "link",
    "link-off",
    "list",
    "list-numbers",
    "list-search",
    "logout",
    "mail",
    "mail-x",
    "mailbox",
    "message-report",
    "map-pin",
    "moon",
    "note",
    "pencil",
    "phone",
    "player-play",
    "plus",
    "rotate-clockwise-2",
    "search",
    "selector",
    "send",
    "sun",
    "table",
    "underline",
    "upload",
    "user",
    "user-question",
    "x",
)


class FrontEndMissing(Exception):
    """The fetched files are not there."""

    def __init__(self) -> None:
        super().__init__("the pages' files are missing: run python -m services.console.frontend")


@cache
def _drawing(name: str) -> str:
    try:
        source = (VENDOR / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise FrontEndMissing from missing
    return source[source.index(">") + 1 : source.rindex("</svg>")].strip()


def icon(name: str, classes: str = "") -> Markup:
    """An icon that goes with words; screen readers pass over it."""
    if name not in NAMES:
        raise KeyError(name)
    return Markup(
        '<svg class="icon {}" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        "{}</svg>"
    ).format(escape(classes), Markup(_drawing(name)))  # noqa: S704 - the drawing is a pinned package's file
