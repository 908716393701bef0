"""What other systems may hear, for who writes their programs: no login, since nothing of a company is in it."""

import hashlib
import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

import contracts
from contracts.registry import EVENTS
from services.console.visits import PageUnknown

router = APIRouter(prefix="/events")

FILES = Path(contracts.__file__).parent
FRESH = "public, max-age=300"


@router.get("/asyncapi.yaml")
async def asyncapi(request: Request) -> Response:
    """Every event, its subject, headers and stream: AsyncAPI 3."""
    return _answer(request, (FILES / "asyncapi.yaml").read_bytes(), "application/yaml; charset=utf-8")


@router.get("/index.json")
async def index(request: Request) -> Response:
    """Every type that is said, with the address and the digest of its schema."""
    return _answer(request, _index(), "application/json")


@router.get("/schemas/{file}")
async def schema(request: Request, file: str) -> Response:
    """The JSON Schema of one event's data, by its type: its last part is the major version, within which it only
    grows."""
    name = file.removesuffix(".json")
    if name not in EVENTS:
        raise PageUnknown
    return _answer(request, _schema(name), "application/schema+json")


@cache
def _index() -> bytes:
    events = [
        {
            "type": name,
            "speaker": event.speaker,
            "schema": f"/events/schemas/{name}.json",
            "sha256": hashlib.sha256(_schema(name)).hexdigest(),
        }
        for name, event in EVENTS.items()
    ]
    document = {"asyncapi": "/events/asyncapi.yaml", "events": events}
    return json.dumps(document, indent=2).encode()


def _schema(name: str) -> bytes:
    return (FILES / "schemas" / f"{name}.json").read_bytes()


def _answer(request: Request, content: bytes, media_type: str) -> Response:
    digest = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": digest, "Cache-Control": FRESH, "Access-Control-Allow-Origin": "*"}
    if digest in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
