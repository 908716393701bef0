"""The console's own knobs."""

from datetime import date

from chassis.settings import Settings


class ConsoleSettings(Settings):
    as_of: date | None = None
    """The business date of every page, where the deployment allows choosing it (``allow_as_of``); else today."""
    secure_cookies: bool = False
    """Send cookies over HTTPS only. To be set wherever the console is reached over HTTPS."""
    session_idle_minutes: int = 480
    session_hours: int = 72
    sign_in_failures: int = 5
    """Failed attempts on one address after which signing in waits."""
    sign_in_failures_per_host: int = 30
    sign_in_wait_minutes: int = 15
    token_minutes: float = 5
    space_requests_per_link: int = 60
    """How often a minute one debtor's link may be used, per process."""
    space_requests_per_host: int = 600
    """The same for all links together from one address; a proxy in front of the console is one address."""
    space_form_bytes: int = 6 << 20
    """The largest form that debtors' pages send: a dispute with a file."""
    neighbour_seconds: float = 20
    """How long a page waits for another service."""
