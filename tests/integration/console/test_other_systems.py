"""Configurer, Abonnés et webhooks: what an administrator asks reaches reporting; the contract is public."""

import hashlib
import html

import httpx
import yaml

from contracts.registry import EVENTS
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.fixture_other_systems import CRM, SECRET
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/other-systems"


def shown(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ")


async def test_how_it_goes_is_told(clerk: Person) -> None:
    text = shown(await clerk.get(PAGE))
    for words in ("2 mis de côté", "12 à livrer", "réponse 503", "au repos", "entrepot@delcourt", "1 207"):
        assert words in text


async def test_what_was_put_aside_is_listed_and_tried_again(clerk: Person, fakes: FakeServices) -> None:
    page = f"{PAGE}?webhook={CRM}"
    text = shown(await clerk.get(page))
    assert "pas de réponse en 15 secondes" in text
    assert "Réessayer les 2 événements mis de côté" in text
    answer = await clerk.post(f"{PAGE}/webhooks/retry", on=page, webhook_id=CRM)
    assert fakes.commands == [("reporting", "/webhooks/retry", {"webhook_id": CRM})]
    assert "sont livrés de nouveau" in shown(await clerk.get(answer.headers["location"]))


async def test_a_secret_is_shown_by_the_answer_and_never_again(clerk: Person) -> None:
    for path, named in (("webhooks/rotate", {"webhook_id": CRM}), ("subscribers/rotate", {"name": "entrepot"})):
        assert SECRET in (await clerk.post(f"{PAGE}/{path}", on=PAGE, **named)).text
    assert SECRET not in (await clerk.get(PAGE)).text


async def test_a_webhook_is_asked_for_as_it_was_typed(clerk: Person, fakes: FakeServices) -> None:
    typed = {"webhook_id": CRM, "url": "https://crm.example/x", "event": ["PromiseRecorded", "EmailSent"]}
    await clerk.post(f"{PAGE}/webhooks/change", on=PAGE, **typed)  # type: ignore[arg-type]
    body = {"webhook_id": CRM, "url": "https://crm.example/x", "events": ["PromiseRecorded", "EmailSent"]}
    assert fakes.commands == [("reporting", "/webhooks/change", body)]


async def test_what_is_refused_comes_back_in_words(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/webhooks/change"] = {"type": "url-refused", "title": "Webhooks cannot go there", "status": 422}
    answer = await clerk.post(f"{PAGE}/webhooks/change", on=PAGE, webhook_id=CRM, url="http://10.0.0.7/x")
    assert answer.status_code == 422
    assert "Cette adresse n’est pas permise" in shown(answer)


async def test_a_test_that_fails_says_why(clerk: Person) -> None:
    answer = await clerk.post(f"{PAGE}/webhooks/test", on=PAGE, webhook_id=CRM)
    assert "L’essai échoue : réponse 503." in shown(answer)


async def test_only_administrators_come_here(reader: Person, fakes: FakeServices) -> None:
    """Rule 15.3."""
    assert (await reader.get(PAGE)).status_code == 403
    answer = await reader.post(f"{PAGE}/webhooks/remove", on=f"/c/{COMPANY}/home", webhook_id=CRM)
    assert answer.status_code == 403
    assert fakes.commands == []


async def test_the_contract_is_read_without_a_login(person: Person) -> None:
    answer = await person.get("/events/asyncapi.yaml")
    assert answer.status_code == 200
    assert set(yaml.safe_load(answer.text)["components"]["messages"]) == set(EVENTS)
    index = (await person.get("/events/index.json")).json()
    assert {one["type"] for one in index["events"]} == set(EVENTS)
    for one in index["events"][:3]:
        schema = await person.get(one["schema"])
        assert hashlib.sha256(schema.content).hexdigest() == one["sha256"]
        assert schema.json()["$id"] == f"urn:{one['type'].replace('.', ':')}"
    digest = answer.headers["etag"]
    assert (await person.http.get("/events/asyncapi.yaml", headers={"if-none-match": digest})).status_code == 304
    assert (await person.get("/events/schemas/..%2f..%2fsettings.py")).status_code == 404
    assert (await person.get("/events/schemas/relance.ledger.Nothing.v1.json")).status_code == 404
