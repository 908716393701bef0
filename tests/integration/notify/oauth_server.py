"""A small provider of authorizations (OAuth 2), and the mail server that takes its tokens.

It stands for Microsoft's and Google's, which no test can reach: authorization codes with PKCE, refresh tokens
that are good once, revocation, and applications that prove by a secret or a certificate who they are.
"""

import asyncio
import base64
import hashlib
import json
import re
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from joserfc import jwt
from joserfc.jwk import RSAKey
from pysasl.creds.plain import PlainCredentials
from pysasl.mechanism import ChallengeResponse, ServerChallenge
from pysasl.mechanism.oauth import OAuth2Mechanism

from chassis.server_process import free_port
from tests.serving import closed_at_the_end, listening, port_of, serving

CLIENT, SECRET, SCOPE = "relance-app", "s3cret-of-the-app", "https://mail.example/"
SHOWN = re.compile(rb"user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01")


@dataclass
class Authority:
    """``redirect_uri`` is the only one it sends people back to."""

    redirect_uri: str
    listener: socket.socket = field(default_factory=listening)
    codes: dict[str, str] = field(default_factory=dict)
    """Code to PKCE challenge."""
    refresh: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    """The grants, in their order."""
    grants: str = SCOPE
    gives_refresh: bool = True
    public_key: RSAKey | None = None
    down: bool = False

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{port_of(self.listener)}"

    def wanted(self, **other: Any) -> dict[str, Any]:
        """As a company sets it."""
        body = {
            "provider": "other",
            "way": "consent",
            "client_id": CLIENT,
            "secret": SECRET,
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "revoke_url": f"{self.url}/revoke",
            "scope": SCOPE,
            "hosts": ["127.0.0.1"],
        }
        return body | other

    def consented(self, url: str) -> dict[str, str]:
        """A person agrees: what they bring back, ``code`` and ``state``."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{self.url}/authorize?")
        assert (asked["client_id"], asked["response_type"], asked["scope"]) == (CLIENT, "code", SCOPE)
        assert asked["redirect_uri"] == self.redirect_uri
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked["code_challenge"]
        return {"code": code, "state": asked["state"]}

    def end_tokens(self) -> None:
        """Those that were given until now are good no more."""
        self.tokens.clear()

    def take_back(self) -> None:
        """The person ends the consent in their own account."""
        self.refresh.clear()
        self.tokens.clear()

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Of the token endpoint."""
        way = form.get("grant_type", "")
        self.asked.append(way)
        if not self._is_known(form):
            return 401, {"error": "invalid_client", "error_description": "the secret has ended"}
        if way == "authorization_code":
            challenge = self.codes.pop(form["code"], None)
            proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if challenge != base64.urlsafe_b64encode(proof).rstrip(b"=").decode():
                return 400, {"error": "invalid_grant", "error_description": "wrong verifier"}
            if form.get("redirect_uri") != self.redirect_uri:
                return 400, {"error": "invalid_grant", "error_description": "wrong address"}
        elif way == "refresh_token":
            shown = form["refresh_token"]
            if shown in self.used:  # shown twice: it was stolen
                self.take_back()
            if shown not in self.refresh:
                return 400, {"error": "invalid_grant", "error_description": "taken back"}
            self.refresh.discard(shown)
            self.used.add(shown)
        elif form.get("scope") != SCOPE:
            return 400, {"error": "invalid_scope"}
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        given: dict[str, Any] = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        if way != "client_credentials" and self.gives_refresh:
            given["refresh_token"] = secrets.token_urlsafe(24)
            self.refresh.add(given["refresh_token"])
        return 200, given | {"scope": self.grants}

    def _is_known(self, form: dict[str, str]) -> bool:
        if "client_assertion" in form and self.public_key is not None:
            said = jwt.decode(form["client_assertion"], self.public_key, algorithms=["PS256"])
            assert said.header["x5t#S256"]
            return bool((said.claims["iss"], said.claims["aud"]) == (CLIENT, f"{self.url}/token"))
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/token")
        async def token(request: Request) -> Response:
            if self.down:
                return Response("down", status_code=503)
            status, body = self.answer({name: str(value) for name, value in (await request.form()).items()})
            return JSONResponse(body, status_code=status)

        @app.post("/revoke")
        async def revoke(request: Request) -> Response:
            self.refresh.discard(str((await request.form())["token"]))
            return Response()

        @app.get("/authorize")
        async def authorize(request: Request) -> Response:
            back = self.consented(f"{self.url}/authorize?{request.url.query}")
            refused = urlencode({"error": "access_denied", "state": back["state"]})
            return HTMLResponse(
                f'<h1>Provider</h1><a href="{self.redirect_uri}?{urlencode(back)}">Accept</a>'
                f' <a href="{self.redirect_uri}?{refused}">Refuse</a>'
            )

        return app


@asynccontextmanager
async def authority(certificate: Path, redirect_uri: str) -> AsyncIterator[Authority]:
    """Over TLS, as tokens are only asked for so."""
    found = Authority(redirect_uri)
    async with serving(found.app(), found.listener, ssl_certfile=certificate):
        yield found


@dataclass
class TokenMail:
    """A mail server that is signed in to by tokens alone. With 334 it says why it takes one not, as Google and
    Microsoft do; a connection whose token has ended takes nothing more."""

    authority: Authority
    user: str
    port: int = 0
    received: list[str] = field(default_factory=list)
    shown: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: set[int] = field(default_factory=set)
    """What tells its open connections apart."""
    ends_after: int = 0
    """Tokens end after so many messages; 0: never."""

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        self.connections += 1
        said = SHOWN.fullmatch(base64.b64decode(args[1]))
        if said and said[1].decode() == self.user and said[2].decode() in self.authority.tokens:
            return AuthResult(success=True, auth_data=said[2])
        error = {"status": "401", "schemes": "Bearer", "scope": SCOPE}
        answer = await server.challenge_auth(json.dumps(error))
        assert answer == b"", "a refused client answers with an empty line"
        return AuthResult(success=False, handled=False, message="535 5.7.8 Username and Password not accepted")

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        token = session.auth_data
        if not isinstance(token, bytes) or token.decode() not in self.authority.tokens:
            return "530 5.7.0 Authentication Required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.received += envelope.rcpt_tos
        if self.ends_after and len(self.received) == self.ends_after:
            self.authority.end_tokens()
        return "250 Kept"


@asynccontextmanager
async def token_mail(certificate: Path, found: Authority, user: str) -> AsyncIterator[TokenMail]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    mail = TokenMail(found, user, free_port())
    loop = asyncio.get_running_loop()

    class Counted(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            mail.open.add(id(self))
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            mail.open.discard(id(self))
            super().connection_lost(error)

    def made() -> SMTP:
        return Counted(
            mail,
            hostname="token",
            loop=loop,
            tls_context=tls,
            require_starttls=True,
            auth_required=True,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
        )

    with closed_at_the_end(await loop.create_server(made, "127.0.0.1", mail.port)):
        yield mail


class TokensOnly(OAuth2Mechanism):
    """A mailbox that takes tokens: what is refused is told as a challenge, then the answer is no."""

    def __init__(self, found: Authority, password: str) -> None:
        super().__init__(b"XOAUTH2")
        self.authority, self.password = found, password
        self.refused = 0

    def server_attempt(self, responses: Any) -> tuple[Any, None]:
        if not responses:
            raise ServerChallenge(b"")
        shown: ChallengeResponse = responses[0]
        said = SHOWN.fullmatch(shown.response)
        if said and said[2].decode() in self.authority.tokens:
            return PlainCredentials(said[1].decode(), self.password), None
        if len(responses) == 1:
            raise ServerChallenge(json.dumps({"status": "401", "schemes": "Bearer"}).encode())
        assert responses[1].response == b"", "a refused client answers with an empty line"
        self.refused += 1
        return PlainCredentials("nobody", "wrong"), None
