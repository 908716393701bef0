"""The console's own knobs."""

from datetime import date
from pathlib import Path

from pydantic import Field, field_validator

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
    api_requests_per_key: int = 600
    """How often a minute one API key of another system may ask, per process."""
    api_requests_at_once: int = 10
    """How many requests of the systems of one company are under way at once, per process."""
    api_requests_at_once_in_all: int = 25
    """The same for all companies together: the other connections to the services are for people's pages."""
    api_request_bytes: int = 110 << 20
    """The largest body that another system sends: a ZIP of invoices."""
    neighbour_seconds: float = 20
    """How long a page waits for another service."""

    console_url: str = ""
    """Where people reach the console, without a path: ``https://relance.example``. A provider of identities sends
    them back there; links that let somebody in begin with it."""
    password_sign_in: bool = True
    """Let people sign in by a password. Without it there has to be a provider of identities."""
    oidc_issuer: str = ""
    """The provider of identities (OpenID Connect), exactly as it names itself; empty is none."""
    oidc_name: str = ""
    """What people call it, for the button; empty is its host."""
    oidc_client_id: str = ""
    oidc_client_secret: str = Field(default="", repr=False)
    """Empty where the provider knows the console as a public client, which proves itself by PKCE alone."""
    oidc_scopes: str = "openid email profile"
    oidc_person_claim: str = "email"
    """The claim that names a person as accounts do. ``email`` counts only where ``oidc_verified_claim`` is
    true."""
    oidc_verified_claim: str = "email_verified"
    oidc_groups_claim: str = "groups"
    oidc_rights_file: Path | None = None
    """What groups of the provider may do in which companies (docs/guide/single-sign-on.md); none is nothing."""
    oidc_session_hours: int = 12
    """After which whoever came by the provider comes by it again, so that rights taken away there end here."""
    oidc_networks: str = ""
    """Networks besides the public internet in which the provider may be: ``10.20.0.0/16``."""
    oidc_ca_file: Path | None = None
    """Certificates of authorities that the provider is known by, besides the usual ones."""
    oidc_requests_per_host: int = 120
    """How often a minute somebody may go to the provider and come back from one address, per process; a proxy in
    front of the console is one address, unless ``FORWARDED_ALLOW_IPS`` names it."""

    @field_validator("oidc_rights_file", "oidc_ca_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value
