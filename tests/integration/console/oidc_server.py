"""A small provider of identities (OpenID Connect), over TLS: it stands for Keycloak, Entra ID and Google.

It does what a good one does, and tells whatever a test has it tell instead: ``tamper`` changes the claims,
``signs`` the key and the algorithm.
"""

import base64
import hashlib
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import Key, KeySet, RSAKey

from chassis import clock
from tests.serving import listening, port_of

CLIENT, SECRET = "relance-console", "s3cret: of the console"
Claims = dict[str, Any]


@dataclass(frozen=True)
class Someone:
    """A person as the provider knows them."""

    subject: str
    email: str
    name: str
    groups: tuple[str, ...] = ()
    email_verified: bool = True

    def claims(self) -> Claims:
        return {
            "sub": self.subject,
            "email": self.email,
            "email_verified": self.email_verified,
            "name": self.name,
            "groups": list(self.groups),
        }


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


NATHALIE = Someone("sub-of-nathalie", "Nathalie@delcourt.example", "Nathalie Ferrand")


@dataclass
class Identities:
    """``redirect_uri`` is the only one it sends people back to; ``person`` is who signs in there."""

    redirect_uri: str
    listener: socket.socket = field(default_factory=listening)
    person: Someone = NATHALIE
    key: RSAKey = field(default_factory=lambda: new_key("first"))
    shown_keys: list[Key] | None = None
    """Those at its address, where they are not the one that it signs with."""
    odd_keys: list[Any] = field(default_factory=list)
    """Shown before the others."""
    signs: Callable[[Claims], str] | None = None
    tamper: Claims = field(default_factory=dict)
    """Claims that its tokens have instead; ``None`` takes one away."""
    hidden: tuple[str, ...] = ()
    """Claims that are told by userinfo alone."""
    told_of: Claims = field(default_factory=dict)
    describes: Claims = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)
    """Paths, in their order."""
    logged_out: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, Someone] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"https://127.0.0.1:{port_of(self.listener)}"

    @property
    def issuer(self) -> str:
        return f"{self.base}/realms/delcourt"

    def description(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/logout",
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        } | self.describes

    def consented(self, url: str) -> dict[str, str]:
        """The person signs in there: what their browser brings back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.issuer}/authorize?")
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["redirect_uri"] == self.redirect_uri
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(12)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def redeemed(self, form: dict[str, str], basic: str) -> tuple[int, Claims]:
        """Of the token endpoint."""
        client_id, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode().partition(":")
        if (unquote(client_id), unquote(secret)) != (CLIENT, SECRET):
            return 401, {"error": "invalid_client", "error_description": "the secret has ended"}
        asked = self._codes.pop(form["code"], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if asked is None or proof.rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != self.redirect_uri:
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(12)
        self._tokens[access] = self.person
        return 200, {"access_token": access, "token_type": "Bearer", "id_token": self._id_token(asked)}

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(clock.now().timestamp())
        own = {name: value for name, value in self.person.claims().items() if name not in self.hidden}
        claims = own | {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **({"auth_time": now} if "max_age" in asked else {}),
        }
        claims = {name: value for name, value in (claims | self.tamper).items() if value is not None}
        return self.signs(claims) if self.signs else signed(claims, self.key)

    def app(self) -> FastAPI:
        app = FastAPI()
        base = urlsplit(self.issuer).path

        @app.middleware("http")
        async def remember(request: Request, call_next: Any) -> Response:
            self.asked.append(request.url.path.removeprefix(base))
            if self.down:
                return Response("down", status_code=503)
            answer: Response = await call_next(request)
            return answer

        @app.get(f"{base}/.well-known/openid-configuration")
        async def describe() -> Response:
            return JSONResponse(self.description())

        @app.get(f"{base}/keys")
        async def keys() -> Response:
            shown = KeySet(list(self.shown_keys) if self.shown_keys is not None else [self.key])
            return JSONResponse({"keys": self.odd_keys + list(shown.as_dict(private=False)["keys"])})

        @app.post(f"{base}/token")
        async def token(request: Request) -> Response:
            form = {name: str(value) for name, value in (await request.form()).items()}
            status, body = self.redeemed(form, request.headers.get("authorization", ""))
            return JSONResponse(body, status_code=status)

        @app.get(f"{base}/userinfo")
        async def userinfo(request: Request) -> Response:
            someone = self._tokens[request.headers["authorization"].removeprefix("Bearer ")]
            return JSONResponse(someone.claims() | self.told_of)

        @app.get(f"{base}/authorize")
        async def authorize(request: Request) -> Response:
            back = self.consented(f"{self.issuer}/authorize?{request.url.query}")
            refused = urlencode({"error": "access_denied", "state": back["state"], "iss": self.issuer})
            return HTMLResponse(
                f'<h1>Provider</h1><a href="{self.redirect_uri}?{urlencode(back)}">Accept</a>'
                f' <a href="{self.redirect_uri}?{refused}">Refuse</a>'
            )

        @app.get(f"{base}/logout")
        async def logout(request: Request) -> Response:
            self.logged_out.append(dict(request.query_params))
            return RedirectResponse(request.query_params["post_logout_redirect_uri"], status_code=303)

        return app


def signed(claims: Claims, key: Key, algorithm: str = "RS256") -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def unsigned(claims: Claims) -> str:
    return jwt.encode({"alg": "none"}, claims, None, algorithms=["none"])  # type: ignore[arg-type]
