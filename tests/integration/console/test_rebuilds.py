"""Configurer, Reconstructions: the state of the tables that are built beside the live ones, to look at only."""

import html

import httpx

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

PAGE = f"/c/{COMPANY}/rebuilds"


def shown(answer: httpx.Response) -> str:
    return html.unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


async def test_every_service_tells_what_stands_beside_and_what_differs(clerk: Person, fakes: FakeServices) -> None:
    text = shown(await clerk.get(PAGE))
    for words in (
        "à jour", "à l’arrêt", "anciennes tables gardées", "73 %", "12 841 événements manquent",
        "les événements de 2 clients n’ont pas pu", "promise", "status", "2 tables sont pareilles",
        "la bascule sera refusée", "Le programme est de la version 2", "relance rebuild switch ledger",
        "relance rebuild drop reporting", "Personne ne les a encore comparées",
    ):  # fmt: skip
        assert words in text, words
    assert f'action="{PAGE}' not in text
    assert fakes.commands == []


async def test_a_service_that_does_not_answer_is_named(clerk: Person, fakes: FakeServices) -> None:
    fakes.silent = {"notify"}
    text = shown(await clerk.get(PAGE))
    assert "ce qui s’y construit n’est pas montré" in text
    assert "anciennes tables gardées" in text


async def test_only_administrators_come_here(reader: Person) -> None:
    assert (await reader.get(PAGE)).status_code == 403
