"""Configurer, Export et départ: an administrator asks for everything and fetches it; who lets a company go is
another (docs/adr/0060)."""

import html
import re
from datetime import date
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import insert, text

from chassis.database import engine, transaction
from chassis.embedded import Stack
from services.console.tables import company_export, company_export_part
from tests.integration.console.conftest import COMPANY, PASSWORD, Person

PAGE = f"/c/{COMPANY}/leaving"
CONTENTS = {"events": 10, "rows": 1200, "files": 3, "archive_records": 4, "manifest_sha256": "ab" * 32}


def shown(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


async def as_operator(stack: Stack, statement: str, **values: object) -> None:
    """What the command of an operator writes into the console's schema."""
    reached = engine(stack.database_url("console", "owner"), "console", size=1)
    async with transaction(reached) as tx:
        await tx.execute(text(statement), values)
    await reached.dispose()


async def made(stack: Stack, *contents: bytes, until: str = "now() + interval '7 days'") -> str:
    """An export that is ready."""
    export_id = uuid4()
    reached = engine(stack.database_url("console", "owner"), "console", size=1)
    async with transaction(reached) as tx:
        await tx.execute(
            insert(company_export).values(
                company=COMPANY,
                export_id=export_id,
                status="ready",
                bytes=sum(map(len, contents)),
                contents=CONTENTS,
                until=text(until),
            )
        )
        for number, content in enumerate(contents):
            await tx.execute(
                insert(company_export_part).values(
                    company=COMPANY, export_id=export_id, part=number, content=content
                )
            )
    await reached.dispose()
    return str(export_id)


@pytest.fixture(autouse=True)
async def nothing_asked(stack: Stack) -> None:
    await as_operator(stack, "delete from company_export")
    await as_operator(stack, "delete from company_hold")
    await as_operator(stack, "delete from failed_sign_in")


async def test_it_is_asked_for_once_and_with_the_password(clerk: Person) -> None:
    assert "Aucun export" in shown(await clerk.get(PAGE))
    wrong = await clerk.post(PAGE, on=PAGE, password="a guess")
    assert wrong.status_code == 422
    assert "Ce n’est pas votre mot de passe" in shown(wrong)
    answer = await clerk.post(PAGE, on=PAGE, password=PASSWORD)
    text_shown = shown(await clerk.get(answer.headers["location"]))
    assert "L’export est demandé" in text_shown
    assert "Votre mot de passe, encore une fois" not in text_shown, "one at a time"
    again = await clerk.post(PAGE, on=PAGE, password=PASSWORD)
    assert "Un export est déjà demandé" in shown(again)


async def test_guessing_has_the_brake_of_signing_in(clerk: Person) -> None:
    for _ in range(5):
        await clerk.post(PAGE, on=PAGE, password="a guess")
    assert "Trop de tentatives" in shown(await clerk.post(PAGE, on=PAGE, password=PASSWORD))


async def test_what_is_ready_is_fetched_whole_and_who_did_is_told(clerk: Person, stack: Stack) -> None:
    export_id = await made(stack, b"PK" + bytes(5000), b"the end")
    page = shown(await clerk.get(PAGE))
    assert "1 200 lignes" in page
    assert CONTENTS["manifest_sha256"] in page
    found = await clerk.post(f"{PAGE}/fetch", on=PAGE, export_id=export_id)
    assert found.content == b"PK" + bytes(5000) + b"the end"
    assert found.headers["cache-control"] == "private, no-store"
    assert re.search(rf'filename="{COMPANY}-\d{{4}}-\d\d-\d\d\.zip"', found.headers["content-disposition"])
    assert "Téléchargé le" in shown(await clerk.get(PAGE))


async def test_what_had_its_time_or_was_withdrawn_is_gone(clerk: Person, stack: Stack) -> None:
    old = await made(stack, b"old", until="now() - interval '1 minute'")
    new = await made(stack, b"new")
    await clerk.post(f"{PAGE}/withdraw", on=PAGE, export_id=new)
    for export_id in (old, new):
        assert (await clerk.post(f"{PAGE}/fetch", on=PAGE, export_id=export_id)).status_code == 404
    reached = engine(stack.database_url("console", "owner"), "console", size=1)
    async with transaction(reached) as tx:
        assert await tx.scalar(text("select count(*) from company_export_part")) == 0
    await reached.dispose()


async def test_a_company_at_rest_asks_for_nothing_and_is_told_until_when(clerk: Person, stack: Stack) -> None:
    await as_operator(
        stack,
        "insert into company_hold (company, held_by, until) values (:company, 'olivia', :until)",
        company=COMPANY,
        until=date(2999, 1, 31),
    )
    page = shown(await clerk.get(PAGE))
    assert "au repos depuis" in page
    assert "31/01/2999" in page
    await clerk.post(PAGE, on=PAGE, password=PASSWORD)
    assert "demandé le" not in shown(await clerk.get(PAGE))


async def test_a_certificate_is_read_by_whom_it_was_given_to(clerk: Person, stack: Stack) -> None:
    mine, theirs = uuid4(), uuid4()
    for certificate_id, email in ((mine, "nathalie@delcourt.example"), (theirs, "groupe@delcourt.example")):
        await as_operator(
            stack,
            "insert into certificate (certificate_id, account_id, about, words) select :id, account_id, 'partie',"
            " 'Certificate: partie was deleted' from account where email = :email",
            id=certificate_id,
            email=email,
        )
    answers = [await clerk.get(f"{PAGE}/certificate?certificate_id={one}") for one in (mine, theirs)]
    assert [one.status_code for one in answers] == [200, 404]
    assert "partie was deleted" in answers[0].text
    assert "Certificats de suppression" in shown(await clerk.get(PAGE))


async def test_held_clients_are_counted(clerk: Person) -> None:
    assert "Rien de 1 client ne s’efface de soi-même" in shown(await clerk.get(PAGE))


async def test_only_administrators_come_here(reader: Person) -> None:
    assert (await reader.get(PAGE)).status_code == 403
    for what in ("", "/withdraw", "/fetch"):
        answer = await reader.post(
            f"{PAGE}{what}", on=f"/c/{COMPANY}/home", password=PASSWORD, export_id=str(uuid4())
        )
        assert answer.status_code == 403
