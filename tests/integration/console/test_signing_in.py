"""Who gets in, and what a forged form meets."""

import httpx
import pytest
from sqlalchemy import select

from chassis.database import transaction
from services.console import accounts
from services.console.tables import account
from services.console.visits import Console
from tests.integration.console.conftest import COMPANY, PASSWORD, Person

HASHER_OF_PRODUCTION = accounts.hasher


async def test_a_stranger_is_sent_to_sign_in_and_brought_back(person: Person) -> None:
    answer = await person.get(f"/c/{COMPANY}/client?client_id=411MUNOZSA")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?back=%2Fc%2Fdelcourt%2Fclient")


async def test_the_right_password_opens_a_session_that_scripts_cannot_read(person: Person) -> None:
    answer = await person.sign_in("nathalie@delcourt.example")
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await person.get(f"/c/{COMPANY}/home")).status_code == 200


async def test_the_address_is_not_case_sensitive(person: Person) -> None:
    assert (await person.sign_in(" Nathalie@Delcourt.example ")).status_code == 303


async def test_a_password_is_kept_as_a_hash_that_is_slow_to_guess(
    person: Person, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Argon2id with 64 MiB, three times over: what OWASP asks for and more."""
    monkeypatch.setattr(accounts, "hasher", HASHER_OF_PRODUCTION)
    async with transaction(console.engine) as tx:
        made = await accounts.create_user(tx, "lente@delcourt.example", PASSWORD, "Lente", {COMPANY: "reader"})
        kept = await tx.scalar(select(account.c.password_hash).where(account.c.account_id == made))
    assert str(kept).startswith("$argon2id$v=19$m=65536,t=3,")
    assert (await person.sign_in("lente@delcourt.example", "pas-le-bon-mot")).status_code == 401
    assert (await person.sign_in("lente@delcourt.example")).status_code == 303


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(person: Person) -> None:
    wrong = await person.sign_in("nathalie@delcourt.example", "pas-le-bon-mot")
    unknown = await person.sign_in("inconnue@delcourt.example", "pas-le-bon-mot")
    assert wrong.status_code == unknown.status_code == 401
    assert "Adresse e-mail ou mot de passe incorrect." in wrong.text
    assert "Adresse e-mail ou mot de passe incorrect." in unknown.text


async def test_guessing_is_braked_even_for_the_right_password(person: Person) -> None:
    for _ in range(5):
        assert (await person.sign_in("groupe@delcourt.example", "pas-le-bon-mot")).status_code == 401
    assert (await person.sign_in("groupe@delcourt.example")).status_code == 429
    assert (await person.sign_in("nathalie@delcourt.example")).status_code == 303


async def test_signing_out_ends_the_session(clerk: Person) -> None:
    cookie = clerk.http.cookies["relance_session"]
    await clerk.post("/logout", on=f"/c/{COMPANY}/home")
    clerk.http.cookies.set("relance_session", cookie)
    assert (await clerk.get(f"/c/{COMPANY}/home")).status_code == 303


async def test_a_form_made_elsewhere_is_refused(clerk: Person) -> None:
    body = {"client_id": "411MUNOZSA"}
    path = f"/c/{COMPANY}/client/stop-client"
    assert (await clerk.http.post(path, data=body)).status_code == 400
    assert (await clerk.http.post(path, data={**body, "csrf_token": "guessed"})).status_code == 400


async def test_a_form_from_another_origin_is_refused_even_with_the_token(clerk: Person) -> None:
    from tests.integration.console.conftest import TOKEN

    token = TOKEN.search((await clerk.get(f"/c/{COMPANY}/home")).text)
    assert token is not None
    answer = await clerk.http.post(
        f"/c/{COMPANY}/client/stop-client",
        data={"client_id": "411MUNOZSA", "csrf_token": token[1]},
        headers={"origin": "https://elsewhere.example"},
    )
    assert answer.status_code == 400


async def test_another_company_does_not_exist_for_this_person(clerk: Person) -> None:
    assert (await clerk.get("/c/autre/home")).status_code == 404


async def test_a_person_of_several_companies_chooses_one(person: Person, console: Console) -> None:
    """Rule 15.6: with what is overdue, upcoming and owed in all, by company and of the group."""
    from services.console.tables import failed_sign_in

    async with transaction(console.engine) as tx:
        await tx.execute(failed_sign_in.delete())
    await person.sign_in("groupe@delcourt.example")
    assert (await person.get("/")).headers["location"] == "/companies"
    page = await person.get("/companies")
    assert "Sélectionnez une société" in page.text
    assert all(f"{word}</th>" in page.text for word in ("En retard", "À venir", "Total"))
    assert "2\u00a0569\u00a0234\u00a0€" in page.text, "the group's total"


async def test_every_answer_forbids_foreign_scripts_and_frames(clerk: Person) -> None:
    policy = (await clerk.get(f"/c/{COMPANY}/home")).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_the_services_are_called_in_the_persons_name_on_the_business_date(
    clerk: Person, console: Console
) -> None:
    await clerk.get(f"/c/{COMPANY}/home")
    transport = console.gateway.http._transport
    assert isinstance(transport, httpx.MockTransport)
    headers = transport.handler.__self__.headers[-1]  # type: ignore[attr-defined]
    assert headers["relance-as-of"] == "2026-11-24"
    assert headers["authorization"].startswith("Bearer ey")
