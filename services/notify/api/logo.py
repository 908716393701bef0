"""The logo on the letters of a company."""

import asyncio
import hashlib
import struct
from typing import Any

import typst
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import text

from chassis.http import CauseDep, CompanyDep, RunningDep, TxDep, requires
from chassis.problems import Problem
from services.notify.letters.press import press
from services.notify.settings import NotifySettings

router = APIRouter(prefix="/companies/{company}")

LARGEST_BYTES = 512 << 10
LARGEST_SIDE = 4000
"""Pixels. A small file may unfold into a picture that no memory holds."""

FOUND = text("select media_type, sha256, content from logo where company = :company")
SAVE = text(
    """
    insert into logo (company, media_type, sha256, content, changed_by)
    values (:company, :media_type, :sha256, :content, :changed_by)
    on conflict (company) do update set media_type = excluded.media_type, sha256 = excluded.sha256,
        content = excluded.content, changed_by = excluded.changed_by, changed_at = now()
    """
)
FORGET = text("delete from logo where company = :company")
KINDS = ("image/png", "image/jpeg")
BODY = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS},
    }
}

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
JPEG_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def sides(content: bytes) -> tuple[str, int, int] | None:
    """Media type, width and height of a PNG or a JPEG, told by its first bytes; ``None`` for anything else."""
    if content.startswith(PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return "image/png", width, height
    if content.startswith(JPEG):
        at = 2
        while at + 9 < len(content) and content[at] == 0xFF:
            if content[at + 1] in JPEG_SIZES:
                height, width = struct.unpack(">HH", content[at + 5 : at + 9])
                return "image/jpeg", width, height
            at += 2 + int(struct.unpack(">H", content[at + 2 : at + 4])[0])
    return None


@router.get("/logo", response_class=Response)
async def get_logo(company: CompanyDep, tx: TxDep) -> Response:
    """The picture; 404 when the company has none."""
    row = (await tx.execute(FOUND, {"company": company})).one_or_none()
    if row is None:
        raise Problem("no-logo", "This company has no logo", 404)
    headers = {"ETag": f'"{row.sha256}"', "Cache-Control": "private, no-cache"}
    return Response(bytes(row.content), media_type=row.media_type, headers=headers)


@router.put("/logo", dependencies=[requires("admin")], openapi_extra=BODY)
async def put_logo(
    request: Request, company: CompanyDep, tx: TxDep, process: RunningDep, cause: CauseDep
) -> dict[str, Any]:
    """Set it: a PNG or a JPEG of 512 kB and 4,000 pixels a side at most. Letters already made keep theirs.

    Answers 413 ``logo-too-large``, 422 ``not-a-picture``.
    """
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BYTES:
            raise Problem("logo-too-large", "A logo has 512 kB at most", 413, most=LARGEST_BYTES)
    found = sides(content)
    if found is None:
        raise Problem("not-a-picture", "A logo is a PNG or a JPEG", 422)
    media_type, width, height = found
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise Problem("logo-too-large", "A logo has 4,000 pixels a side at most", 413, most=LARGEST_SIDE)
    settings = process.settings
    assert isinstance(settings, NotifySettings)
    digest = hashlib.sha256(content).hexdigest()
    maker = press(settings.letter_fonts)
    try:
        await asyncio.to_thread(maker.try_logo, maker.keep_logo(digest, media_type, content))
    except typst.TypstError as refused:
        raise Problem("not-a-picture", "This picture cannot be read", 422, refused.message) from refused
    saved = {"media_type": media_type, "sha256": digest}
    await tx.execute(SAVE, {"company": company, **saved, "content": content, "changed_by": cause.actor})
    return saved | {"width": width, "height": height}


@router.delete("/logo", dependencies=[requires("admin")])
async def delete_logo(company: CompanyDep, tx: TxDep) -> dict[str, Any]:
    """Letters made from now on have none."""
    if (await tx.execute(FORGET, {"company": company})).rowcount == 0:
        raise Problem("no-logo", "This company has no logo", 404)
    return {"deleted": True}
