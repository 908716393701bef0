"""A receiver of webhooks: checks signatures by the official library, and fails as often as it is told."""

import json
import random
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

Json = dict[str, Any]


@dataclass
class Receiver:
    """``accepted`` are the events by id, in the order in which each was first taken."""

    fails: float = 0
    """The share of deliveries that fail: half with an error, half by a connection that ends."""
    answers: int | None = None
    """What it answers instead, when it is told."""
    secret: str = ""
    accepted: dict[str, Json] = field(default_factory=dict)
    attempts: list[str] = field(default_factory=list)
    headers: list[Json] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Ids of deliveries whose signature is wrong."""
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> "Receiver":
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.take(dict(self.headers), body)
                if status is None:
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/events"

    def take(self, headers: Json, body: bytes) -> int | None:
        told = {name.lower(): value for name, value in headers.items()}
        with self.lock:
            self.attempts.append(told["webhook-id"])
            self.headers.append(told)
            try:
                event = Webhook(self.secret).verify(body, told)
            except WebhookVerificationError:
                self.refused.append(told["webhook-id"])
                return 401
            if self.answers is not None:
                return self.answers
            if self.dice.random() < self.fails:
                return 500 if self.dice.random() < 0.5 else None
            self.accepted.setdefault(told["webhook-id"], event)
            return 204

    def texts(self) -> list[str]:
        return [json.dumps(one) for one in self.accepted.values()]
