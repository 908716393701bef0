"""The collection file from a client's page (rules 8.11, 19.7) and the legal archive beside it (rule 19.9)."""

from typing import Any

from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import FakeServices

CLIENT = f"/c/{COMPANY}/client?client_id=411MUNOZSA"
PAGE = f"/c/{COMPANY}/client/collection-file"
OF_CLIENT = f"{PAGE}?client_id=411MUNOZSA"


async def test_the_file_is_handed_on_and_stops_the_client_unless_unticked(
    clerk: Person, fakes: FakeServices
) -> None:
    assert "client/collection-file?client_id=411MUNOZSA" in (await clerk.get(CLIENT)).text
    fakes.commands.clear()
    ticked: dict[str, Any] = {"client_id": "411MUNOZSA", "language": "fr", "stop": "true"}
    answer = await clerk.post(PAGE, on=OF_CLIENT, **ticked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert "dossier-de-recouvrement-411MUNOZSA.zip" in answer.headers["content-disposition"]
    del ticked["stop"]
    await clerk.post(PAGE, on=OF_CLIENT, **{**ticked, "language": "en"})
    assert fakes.commands == [
        ("notify", "/collection-file", {"client_id": "411MUNOZSA", "language": "fr", "stop": True}),
        ("notify", "/collection-file", {"client_id": "411MUNOZSA", "language": "en", "stop": False}),
    ]


async def test_the_archive_is_shown_and_verified(clerk: Person) -> None:
    shown = (await clerk.get(OF_CLIENT)).text
    for words in ("E-mail parti", "compta@munoz-sa.example", "Courrier préparé", "3 rue du Port", "n°\xa01204,"):
        assert words.replace("\xa0", " ") in shown.replace("\xa0", " "), words
    told = (await clerk.post(f"{PAGE}/verify", on=OF_CLIENT, client_id="411MUNOZSA")).text
    assert "Archive intacte" in told


async def test_a_broken_record_is_named(clerk: Person, monkeypatch: Any) -> None:
    broken = {"n": 7, "why": "content-changed"}
    answer = {"records": 6, "contents": 2, "erased": 0, "head": None, "broken": broken}
    monkeypatch.setattr("tests.integration.console.neighbours.archive_answered", answered(answer))
    told = (await clerk.post(f"{PAGE}/verify", on=OF_CLIENT, client_id="411MUNOZSA")).text
    assert "n° 7 n’est plus tel" in told.replace("\xa0", " ")
    assert "ce qui est conservé n’est plus ce qui est parti" in told


def answered(verified: dict[str, Any]) -> Any:
    return lambda path: verified if path == "/archive/verify" else {"records": [], "head": None}


async def test_a_reader_looks_and_makes_nothing(reader: Person) -> None:
    shown = (await reader.get(OF_CLIENT)).text
    assert "Télécharger le dossier" not in shown
    assert "Vérifier" not in shown
    answer = await reader.post(PAGE, on=CLIENT, client_id="411MUNOZSA")
    assert answer.status_code == 403
