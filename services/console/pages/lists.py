"""What the pages of lists share: the filters that their address names, and the same list as a file."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from services.console.gateway import Json, Neighbours
from services.console.visits import Visit

FORMATS = ("csv", "xlsx")


def asked_for(request: Request, names: tuple[str, ...]) -> dict[str, Any]:
    """The parameters of the address that the service knows, empty ones left out."""
    return {
        name: values
        for name in names
        if (values := [value for value in request.query_params.getlist(name) if value.strip()])
    }


async def as_file(
    request: Request, visit: Visit, neighbours: Neighbours, path: str, asked: Json
) -> Response | None:
    """What reporting answers as a file, with its name; ``None`` where the address asks for no ``format``."""
    wanted = request.query_params.get("format")
    if wanted not in FORMATS:
        return None
    named = {**asked, "format": wanted, "language": visit.language}
    answer = await neighbours.request("reporting", "GET", path, params=named)
    kept = {
        name: answer.headers[name] for name in ("content-type", "content-disposition") if name in answer.headers
    }
    return Response(answer.content, headers={**kept, "Cache-Control": "no-store"})
