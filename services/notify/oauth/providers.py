"""Where authorizations for mailboxes are given: Microsoft 365, Google Workspace, or as a company typed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ProviderName = Literal["microsoft", "google", "other"]
Way = Literal["application", "consent"]
"""The application acts for itself, or a person lets it act for them."""
SecretKind = Literal["secret", "certificate", "none"]


@dataclass(frozen=True, slots=True)
class Provider:
    """Its addresses, for one company. ``hosts`` are the mail servers that its tokens may be shown to: whoever gets
    one reads and writes the mailbox."""

    authorize_url: str
    token_url: str
    revoke_url: str
    scope: str
    hosts: tuple[str, ...]
    asked: tuple[tuple[str, str], ...] = ()
    """What else is asked for when a person consents."""

    @property
    def scopes(self) -> frozenset[str]:
        """Those that a consent must have granted; that for a refresh token is told by the token itself."""
        return frozenset(self.scope.lower().split()) - {"offline_access", "openid", "email", "profile"}


MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0"
MICROSOFT_HOSTS = ("smtp.office365.com", "outlook.office365.com")
MICROSOFT_SCOPES: Mapping[str, str] = {
    "consent": "https://outlook.office.com/SMTP.Send https://outlook.office.com/IMAP.AccessAsUser.All"
    " offline_access",
    "application": "https://outlook.office365.com/.default",
}
GOOGLE = Provider(
    authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
    token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - an address
    revoke_url="https://oauth2.googleapis.com/revoke",
    scope="https://mail.google.com/",
    hosts=("smtp.gmail.com", "imap.gmail.com"),
    # without both a second consent of the same person brings no refresh token
    asked=(("access_type", "offline"), ("prompt", "consent")),
)
WAYS: Mapping[str, tuple[Way, ...]] = {
    "microsoft": ("consent", "application"),
    "google": ("consent",),
    "other": ("consent", "application"),
}
"""Google lets an application act for itself by service accounts alone, which are another protocol (ADR 57)."""


def provider_of(row: Any) -> Provider:
    """Of a row of ``mail_authorization``, or of what was typed. Presets are not kept: they can be mended."""
    if row["provider"] == "google":
        return GOOGLE
    if row["provider"] == "microsoft":
        base = MICROSOFT.format(tenant=row["tenant"])
        return Provider(
            authorize_url=f"{base}/authorize",
            token_url=f"{base}/token",
            revoke_url="",  # there is none: consents end in the person's own account
            scope=MICROSOFT_SCOPES[row["way"]],
            hosts=MICROSOFT_HOSTS,
            asked=(("prompt", "select_account"),),
        )
    return Provider(
        authorize_url=row["authorize_url"],
        token_url=row["token_url"],
        revoke_url=row["revoke_url"],
        scope=row["scope"],
        hosts=tuple(host.lower() for host in row["hosts"]),
    )
