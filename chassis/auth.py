"""Who is calling: short-lived Ed25519 tokens, minted by the console or a service, verified offline."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis import clock

Role = Literal["debtor", "connector", "reader", "user", "admin", "system"]
"""From the least to the most: answers for one client and nothing else (``chassis.http.for_debtors``), delivers for
accounting and nothing else (``chassis.http.for_connectors``), reads, acts for a company, configures it, is another
service."""
ROLES: tuple[Role, ...] = get_args(Role)
EVERY_COMPANY = "*"
ALGORITHM = "Ed25519"
ISSUER = "relance"
CLOCK_LEEWAY_SECONDS = 30


class TokenRefused(Exception):
    """The token is missing, forged, expired or unreadable. The text names no secret."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a user (``user:<id>``), a service (``service:notify``) or the command line."""

    subject: str
    companies: tuple[str, ...]
    role: Role
    portfolio: tuple[str, ...] | None = None
    """The codes of the sales people whose clients the caller sees; ``None`` for every client (rule 15.2)."""
    client_id: str | None = None
    """The one client whom a debtor is; nobody else's token names one."""

    def may_see(self, company: str) -> bool:
        """The token was given for this company, or for all of them."""
        return company in self.companies or EVERY_COMPANY in self.companies

    def is_at_least(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """PEM texts of a fresh pair."""

    private: str
    public: str


def new_key_pair() -> KeyPair:
    key = OKPKey.generate_key("Ed25519")
    return KeyPair(private=key.as_pem(private=True).decode(), public=key.as_pem(private=False).decode())


def read_key(file: Path) -> OKPKey:
    """A public or private Ed25519 key from a PEM file. Raises ``OSError`` when it cannot be read."""
    return OKPKey.import_key(file.read_text(encoding="utf-8"))


def mint(  # noqa: PLR0913, PLR0917 - what a token says
    private_key: OKPKey,
    subject: str,
    companies: Sequence[str],
    role: Role,
    minutes: float = 5,
    portfolio: Sequence[str] | None = None,
    client_id: str | None = None,
) -> str:
    """A token for ``subject`` over ``companies`` (``"*"`` for every one), good for ``minutes``.

    ``portfolio`` narrows it to the clients of these sales people; ``None`` does not. ``client_id`` is who a
    debtor is.
    """
    issued = int(clock.now().timestamp())
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": subject,
        "companies": list(companies),
        "role": role,
        "iat": issued,
        "exp": issued + int(minutes * 60),
    }
    if portfolio is not None:
        claims["portfolio"] = list(portfolio)
    if client_id is not None:
        claims["client"] = client_id
    return jwt.encode({"alg": ALGORITHM}, claims, private_key, algorithms=[ALGORITHM])


_CLAIMS = {
    "iss": {"essential": True, "value": ISSUER},
    "sub": {"essential": True},
    "companies": {"essential": True},
    "role": {"essential": True},
    "exp": {"essential": True},
}


def verify(token: str, public_key: OKPKey) -> Caller:
    """The caller that a token speaks for. Raises ``TokenRefused``."""
    now = int(clock.now().timestamp())
    try:
        claims = jwt.decode(token, public_key, algorithms=[ALGORITHM]).claims
        jwt.JWTClaimsRegistry(now=now, leeway=CLOCK_LEEWAY_SECONDS, **_CLAIMS).validate(claims)  # type: ignore[arg-type]
    except (JoseError, ValueError) as refusal:
        raise TokenRefused("the token is forged, expired or unreadable") from refusal
    companies, role = claims["companies"], claims["role"]
    if role not in ROLES or not isinstance(companies, list):
        raise TokenRefused("the token has no known role or no list of companies")
    portfolio = claims.get("portfolio")
    if portfolio is not None and not isinstance(portfolio, list):
        raise TokenRefused("the token's portfolio is no list")
    client_id = claims.get("client")
    if (role == "debtor") != (isinstance(client_id, str) and bool(client_id)):
        raise TokenRefused("a debtor's token names its client, and no other does")
    if role == "debtor" and (len(companies) != 1 or EVERY_COMPANY in companies):
        raise TokenRefused("a debtor's token names one company")
    return Caller(
        subject=str(claims["sub"]),
        companies=tuple(map(str, companies)),
        role=cast(Role, role),
        portfolio=None if portfolio is None else tuple(map(str, portfolio)),
        client_id=client_id,
    )
