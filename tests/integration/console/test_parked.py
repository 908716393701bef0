"""Configurer, Événements en attente: what services could not apply, handled by an administrator (rule 15.3)."""

import html

import httpx

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/parked"
ONE = {"service": "dunning", "speaker": "sync", "client_id": "411MUNOZSA"}
POSITION = "sync/17/2204"


def shown(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ")


async def test_every_service_is_asked_and_its_slices_are_told_in_words(clerk: Person) -> None:
    text = shown(await clerk.get(PAGE))
    for words in (
        "Munoz S.A.", "EntriesSynced", POSITION, "12 événements plus récents attendent", "Décision des relances",
        "une valeur que la base de données ne peut pas prendre", "La société entière", "PersonErased",
        "Un effacement ne s’écarte pas", "Une mesure de conservation ne s’écarte pas",
        "Attendait derrière un événement écarté",
        "Pièce envoyée deux fois", "parked-clients.md",
    ):  # fmt: skip
        assert words in text, words
    assert "Ne répondent pas" not in text


async def test_a_service_that_does_not_answer_is_named_and_the_others_are_shown(
    clerk: Person, fakes: FakeServices
) -> None:
    fakes.silent = {"notify"}
    text = shown(await clerk.get(PAGE))
    assert "Ne répondent pas, et ce qui y attend n’est pas montré" in text
    assert "Envois et courriers" in text
    assert "CompanyChanged" not in text
    assert "Munoz S.A." in text


async def test_it_is_tried_again_at_the_service_where_it_waits(clerk: Person, fakes: FakeServices) -> None:
    answer = await clerk.post(f"{PAGE}/retry", on=PAGE, **ONE)
    assert fakes.commands == [("dunning", "/parked/retry", {"speaker": "sync", "client_id": "411MUNOZSA"})]
    assert "est appliqué" in shown(await clerk.get(answer.headers["location"]))


async def test_what_fails_again_is_told_with_its_error(clerk: Person, fakes: FakeServices) -> None:
    fakes.refuse["/parked/retry"] = {"type": "still-unapplied", "status": 409, "error": "KeyError"}
    answer = await clerk.post(f"{PAGE}/retry", on=PAGE, **ONE)
    text = shown(await clerk.get(answer.headers["location"]))
    assert "ne s’applique toujours pas" in text
    assert "parle de quelque chose que ce service ne connaît pas" in text


async def test_it_is_skipped_with_a_reason_and_a_tick_only(clerk: Person, fakes: FakeServices) -> None:
    for incomplete in ({"reason": "deux fois"}, {"sure": "true"}, {"sure": "true", "reason": "  "}):
        answer = await clerk.post(f"{PAGE}/skip", on=PAGE, position=POSITION, **ONE, **incomplete)
        assert "Dites pourquoi" in shown(await clerk.get(answer.headers["location"]))
    assert fakes.commands == []
    await clerk.post(f"{PAGE}/skip", on=PAGE, position=POSITION, sure="true", reason=" deux fois ", **ONE)
    body = {"speaker": "sync", "client_id": "411MUNOZSA", "position": POSITION, "reason": "deux fois"}
    assert fakes.commands == [("dunning", "/parked/skip", body)]


async def test_only_administrators_come_here(reader: Person, fakes: FakeServices) -> None:
    assert (await reader.get(PAGE)).status_code == 403
    for what in ("retry", "skip"):
        answer = await reader.post(f"{PAGE}/{what}", on=f"/c/{COMPANY}/home", position=POSITION, **ONE)
        assert answer.status_code == 403
    assert fakes.commands == []
