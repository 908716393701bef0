"""NATS users of other systems: the server asks who somebody is, and gets a signed answer (auth callout).

The answer is a JWT as nats-server reads it, signed by an account key pair. The pair comes from any long secret, so
that an installation keeps one word instead of two files that must fit each other.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import nkeys

from chassis import clock

Json = dict[str, Any]
SMALL_BYTES = 4096
"""Whoever only asks for messages sends no more than this."""
MOST_SUBSCRIPTIONS = 64


@dataclass(frozen=True, slots=True)
class Question:
    """What the server wants to know of a connection."""

    server: str
    user_key: str
    """The public key that the server made for this connection: the answer is about it."""
    user: str
    password: str = field(repr=False)


class Unreadable(Exception):
    """The question is not one that nats-server asks."""


class Issuer:
    """Signs who may come in. ``secret`` is any long word."""

    def __init__(self, secret: str) -> None:
        seed = nkeys.encode_seed(hashlib.sha256(secret.encode()).digest(), nkeys.PREFIX_BYTE_ACCOUNT)
        self._pair = nkeys.from_seed(seed)

    @property
    def public_key(self) -> str:
        """What the configuration of the server names."""
        return str(self._pair.public_key.decode())

    def admit(
        self,
        question: Question,
        account: str,
        publish: list[str],
        subscribe: list[str],
        until: datetime | None = None,
    ) -> bytes:
        """This connection is in ``account`` and may say and hear these subjects; it ends at ``until``."""
        user: Json = {
            "aud": account,
            "name": question.user,
            "nats": {
                "type": "user",
                "version": 2,
                "pub": {"allow": publish},
                "sub": {"allow": subscribe},
                "subs": MOST_SUBSCRIPTIONS,
                "data": -1,
                "payload": SMALL_BYTES,
            },
        }
        if until is not None:
            user["exp"] = max(int(until.timestamp()), int(clock.now().timestamp()) + 1)
        return self._answer(question, {"jwt": self._sign(question.user_key, user)})

    def refuse(self, question: Question, reason: str) -> bytes:
        """This connection does not come in; the server's log names the reason, the other side hears nothing."""
        return self._answer(question, {"error": reason})

    def _answer(self, question: Question, told: Json) -> bytes:
        response = {"type": "authorization_response", "version": 2, **told}
        return self._sign(question.user_key, {"aud": question.server, "nats": response}).encode()

    def _sign(self, subject: str, claims: Json) -> str:
        claims = {"iss": self.public_key, "iat": int(clock.now().timestamp()), "sub": subject, **claims}
        claims["jti"] = _encoded(hashlib.sha256(json.dumps(claims).encode()).digest())
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(self._pair.sign(signed.encode()))}"


def question_of(message: bytes) -> Question:
    """What the server asks. Nobody but servers can say anything where questions are asked. Raises
    ``Unreadable``."""
    try:
        body = message.decode().split(".")[1]
        asked = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["nats"]
        connecting = asked["connect_opts"]
        return Question(
            asked["server_id"]["id"], asked["user_nkey"], connecting.get("user", ""), connecting.get("pass", "")
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as wrong:
        raise Unreadable from wrong


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
