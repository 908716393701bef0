"""Who is calling: short-lived Ed25519 tokens, minted by the console or a service, verified offline."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OKPKey

from chassis import clock
from contracts.systems import ACTOR_OF_SYSTEM, Scope

Role = Literal["debtor", "connector", "key", "reader", "user", "admin", "system"]
"""From the least to the most: answers for one client and nothing else (``chassis.http.for_debtors``), delivers for
accounting and nothing else (``chassis.http.for_connectors``), is another system with an API key and does what its
scopes name (``chassis.scopes.for_keys``), reads, acts for a company, configures it, is another service."""
ROLES: tuple[Role, ...] = get_args(Role)
EVERY_COMPANY = "*"
ALGORITHM = "Ed25519"
ISSUER = "relance"
CLOCK_LEEWAY_SECONDS = 30


class TokenRefused(Exception):
    """The token is missing, forged, expired or unreadable. The text names no secret."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a user (``user:<id>``), a service (``service:notify``), another system with an API key
    (``system:crm``) or the command line."""

    subject: str
    companies: tuple[str, ...]
    role: Role
    portfolio: tuple[str, ...] | None = None
    """The codes of the sales people whose clients the caller sees; ``None`` for every client (rule 15.2)."""
    client_id: str | None = None
    """The one client whom a debtor is; nobody else's token names one."""
    scopes: frozenset[str] = frozenset()
    """What a key may be used for (``contracts.systems``); nobody else's token names any."""
    key_id: str | None = None
    """The API key that the token was given for."""
    token: str = field(default="", repr=False, compare=False)
    """What it showed; whoever asks others in its name hands that on."""

    def may_see(self, company: str) -> bool:
        """The token was given for this company, or for all of them."""
        return company in self.companies or EVERY_COMPANY in self.companies

    def is_told(self, scope: Scope) -> bool:
        """Facts that an answer holds beside those of its own scopes; people are told by their role."""
        return self.key_id is None or scope in self.scopes

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


def same_pair(one: OKPKey, other: OKPKey) -> bool:
    """Whether both are halves of the same pair, or the same half."""
    return one.thumbprint() == other.thumbprint()


def mint(  # noqa: PLR0913, PLR0917 - what a token says
    private_key: OKPKey,
    subject: str,
    companies: Sequence[str],
    role: Role,
    minutes: float = 5,
    portfolio: Sequence[str] | None = None,
    client_id: str | None = None,
    signer: str = "",
    scopes: Collection[str] = (),
    key_id: str | None = None,
) -> str:
    """A token for ``subject`` over ``companies`` (``"*"`` for every one), good for ``minutes``.

    ``portfolio`` narrows it to the clients of these sales people; ``None`` does not. ``client_id`` is who a
    debtor is. ``signer`` is the service whose own key this is; empty for the key that signs for people. ``scopes``
    and ``key_id`` are of the role ``key`` alone.
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
    if key_id is not None:
        claims |= {"key": key_id, "scope": " ".join(sorted(scopes))}
    header = {"alg": ALGORITHM, "kid": signer} if signer else {"alg": ALGORITHM}
    return jwt.encode(header, claims, private_key, algorithms=[ALGORITHM])


_CLAIMS = {
    "iss": {"essential": True, "value": ISSUER},
    "sub": {"essential": True},
    "companies": {"essential": True},
    "role": {"essential": True},
    "exp": {"essential": True},
}


@dataclass(frozen=True, slots=True)
class Signing:
    """What tokens by a service's own key may be: of which roles. One of the role system is the service itself."""

    key: OKPKey
    roles: Collection[Role]


def verify(
    token: str, public_key: OKPKey, services: Callable[[str], Signing | None] = lambda name: None
) -> Caller:
    """The caller that a token speaks for. Raises ``TokenRefused``.

    ``public_key`` is the one of those who sign for people; ``services`` knows those of services, which sign for
    themselves, and says what each may ask here.
    """
    now = int(clock.now().timestamp())
    signing: Signing | None = None
    signer = ""

    def key_of(signed: GuestProtocol) -> OKPKey:
        nonlocal signing, signer
        signer = str(signed.headers().get("kid", ""))
        if not signer:
            return public_key
        signing = services(signer)
        if signing is None:
            raise ValueError("nobody of this name may ask here")
        return signing.key

    try:
        claims = jwt.decode(token, key_of, algorithms=[ALGORITHM]).claims
        jwt.JWTClaimsRegistry(now=now, leeway=CLOCK_LEEWAY_SECONDS, **_CLAIMS).validate(claims)  # type: ignore[arg-type]
    except (JoseError, ValueError) as refusal:
        raise TokenRefused("the token is forged, expired or unreadable") from refusal
    companies, role = claims["companies"], claims["role"]
    if role not in ROLES or not isinstance(companies, list):
        raise TokenRefused("the token has no known role or no list of companies")
    if signing is not None:
        as_itself = role != "system" or claims["sub"] == f"service:{signer}"
        if role not in signing.roles or not as_itself:
            raise TokenRefused("this service may not ask so")
    portfolio = claims.get("portfolio")
    if portfolio is not None and not isinstance(portfolio, list):
        raise TokenRefused("the token's portfolio is no list")
    client_id = claims.get("client")
    if (role == "debtor") != (isinstance(client_id, str) and bool(client_id)):
        raise TokenRefused("a debtor's token names its client, and no other does")
    if role == "debtor" and (len(companies) != 1 or EVERY_COMPANY in companies):
        raise TokenRefused("a debtor's token names one company")
    key_id, scopes = _of_key(claims, role)
    return Caller(
        subject=str(claims["sub"]),
        companies=tuple(map(str, companies)),
        role=cast(Role, role),
        portfolio=None if portfolio is None else tuple(map(str, portfolio)),
        client_id=client_id,
        scopes=scopes,
        key_id=key_id,
        token=token,
    )


def _of_key(claims: Mapping[str, Any], role: str) -> tuple[str | None, frozenset[str]]:
    """The key of a token and its scopes. Raises ``TokenRefused`` for anything between a system and a person."""
    key_id, scope, companies = claims.get("key"), claims.get("scope"), claims["companies"]
    named = isinstance(key_id, str) and bool(key_id) and isinstance(scope, str)
    if (role == "key") != named or (role != "key" and (key_id, scope) != (None, None)):
        raise TokenRefused("a key's token names its key and its scopes, and no other does")
    if role != "key":
        return None, frozenset()
    if len(companies) != 1 or EVERY_COMPANY in companies or claims.get("portfolio") is not None:
        raise TokenRefused("a key's token names one company, and no portfolio")
    if not str(claims["sub"]).startswith(ACTOR_OF_SYSTEM):
        raise TokenRefused("a key acts in the name of a system")
    return key_id, frozenset(str(scope).split())
