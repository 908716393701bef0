"""Rows handed in by another system with a key, as docs/guide/http-api.md has it, before a real sync."""

import asyncio
import json
import os
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx
from sqlalchemy import text

from chassis.database import transaction
from chassis.embedded import Stack
from tests.integration.sync.conftest import Sync
from tests.integration.sync.test_http import Door, door
from tests.integration.systems import door_before, program

__all__ = ["door"]

ROW = {"key": "1", "client_id": "C1", "piece": "F1", "debit": "120.50", "invoice_date": "2026-03-01"}


async def test_rows_are_handed_in_once_and_followed(
    door: Door, sync: Sync, company: str, stack: Stack, tmp_path: Path
) -> None:
    await sync.register(company)
    (tmp_path / "rows.json").write_text(json.dumps({"rows": [ROW]}), encoding="utf-8")
    app = door.http._transport.app  # type: ignore[attr-defined]
    async with door_before(stack, "sync", app) as systems:
        environment = await systems.key(company, "erp", ["push:rows"])
        form = {"grant_type": "client_credentials"}
        async with httpx.AsyncClient(base_url=f"{systems.url}/api") as http:
            given = await http.post("/token", data=form, auth=(environment["KEY_ID"], environment["KEY_SECRET"]))
            token = given.json()["access_token"]
            environment |= {"TOKEN": token, "BATCH": "2026-03-01"}
            told = []
            for _ in range(2):
                process = await asyncio.create_subprocess_exec(
                    "sh", str(program("rows.sh", tmp_path)), cwd=tmp_path, env={**os.environ, **environment},
                    stdout=PIPE, stderr=PIPE,
                )  # fmt: skip
                printed, complained = await asyncio.wait_for(process.communicate(), 60)
                assert process.returncode == 0, (printed, complained)
                told.append(json.loads(printed))
            assert [one["repeated"] for one in told] == [False, True]
            await sync.carry_out()
            followed = f"/sync/companies/{company}/imports/{told[0]['run_id']}"
            run = (await http.get(followed, headers={"Authorization": f"Bearer {token}"})).json()
    assert (run["status"], run["changed"]) == ("completed", 1)
    async with transaction(sync.running.engine) as tx:
        asked = "select actor from event_log where company = :company and type = 'SyncStarted'"
        assert list(await tx.scalars(text(asked), {"company": company})) == ["system:erp"]
