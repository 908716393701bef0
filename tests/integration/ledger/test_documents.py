"""Invoices come in by the ZIP, are attached to entries, and are found where people look for them (rule 19.6)."""

import io
import json
import threading
import zipfile
from typing import Any

import httpx
import pytest

from tests.integration.ledger.conftest import House, Voice, entry_id, synced

PDF = b"%PDF-1.7\n%%EOF\n"


def bundle(items: list[dict[str, Any]], files: dict[str, bytes] | None = None) -> bytes:
    """A ZIP whose files all are PDFs of their own, unless told otherwise."""
    found = files if files is not None else {item["file"]: PDF + item["file"].encode() for item in items}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"documents": items}))
        for name, content in found.items():
            archive.writestr(name, content)
    return made.getvalue()


async def send(house: House, company: str, content: bytes) -> httpx.Response:
    headers = {**house.token(company, role="user"), "Content-Type": "application/zip"}
    return await house.http.post(f"/companies/{company}/documents", content=content, headers=headers)


async def missing(house: House, company: str, **query: Any) -> list[str]:
    found: list[str] = []
    while True:
        page = await house.get(company, "/documents/missing", **query)
        found += [one["invoice_number"] for one in page["entries"]]
        if page["next"] is None:
            return found
        query["after"] = page["next"]


async def book(voice: Voice, house: House, company: str) -> None:
    assert (await house.put(company, "", {"name": "Acme"})).status_code == 200
    lines = [
        synced("F1", "C1", "100"),
        synced("F2", "C1", "50", "AA"),
        synced("P2", "C1", "-50", "AA"),
        synced("F3", "C2", "70"),
        synced("F3 second part", "C2", "30").model_copy(update={"piece": "F3"}),
        synced("F4", "C1", "10"),
        synced("F4 of C2", "C2", "11").model_copy(update={"piece": "F4"}),
        synced("old", "C2", "12").model_copy(update={"removed": True}),
    ]
    heard = await voice.run(company, lines)
    await house.get(company, "/client", heard=heard, client_id="C1")
    await house.get(company, "/client", heard=heard, client_id="C2")


async def test_what_is_missing_is_sent_and_then_is_not_missing(voice: Voice, house: House, company: str) -> None:
    """Rule 19.6."""
    await book(voice, house, company)
    assert sorted(await missing(house, company, limit=2)) == ["F1", "F2", "F3", "F3", "F4", "F4"]
    assert "F2" not in await missing(house, company, unlettered="true")
    assert await missing(house, company, since="2026-01-11") == []

    sent = bundle(
        [
            {"file": "factures/F1.pdf", "entry_id": entry_id("F1")},
            {"file": "F3.pdf", "invoice_number": "F3"},
            {"file": "F4.pdf", "invoice_number": "F4", "client_id": "C2"},
        ]
    )
    answer = (await send(house, company, sent)).json()
    assert (answer["attached"], answer["known"], answer["refused"]) == (3, 0, 0), answer
    assert len(answer["results"][1]["entry_ids"]) == 2, "an invoice in two parts has its document at both"
    assert sorted(await missing(house, company)) == ["F2", "F4"]
    said = [body for kind, body in await house.said(company) if kind == "DocumentAttached"]
    assert len(said) == 4
    assert set(said[0]) == {"document_id", "client_id", "entry_id", "sha256", "bytes"}, "no name, no content"

    again = (await send(house, company, sent)).json()
    assert (again["attached"], again["known"], again["positions"]) == (0, 3, [])
    assert len([1 for kind, _ in await house.said(company) if kind == "DocumentAttached"]) == 4


async def test_each_item_is_refused_by_itself_with_its_reason(voice: Voice, house: House, company: str) -> None:
    await book(voice, house, company)
    items = [
        {"file": "good.pdf", "invoice_number": "F1"},
        {"file": "nowhere.pdf", "invoice_number": "F1"},
        {"file": "picture.pdf", "invoice_number": "F2"},
        {"file": "good.pdf", "invoice_number": "F9"},
        {"file": "good.pdf", "invoice_number": "F4"},
        {"file": "good.pdf", "entry_id": entry_id("F1"), "client_id": "C2"},
        {"file": "good.pdf"},
    ]
    files = {"good.pdf": PDF, "picture.pdf": b"\x89PNG\r\n", "left.pdf": PDF}
    answer = (await send(house, company, bundle(items, files))).json()
    assert [one["code"] for one in answer["results"]] == [
        None, "file-missing", "not-a-pdf", "entry-unknown", "invoice-of-several-clients", "entry-unknown",
        "item-invalid", "file-unnamed",
    ]  # fmt: skip
    assert (answer["attached"], answer["refused"]) == (1, 7)
    assert "C1, C2" in answer["results"][4]["message"]
    assert all(one["remedy"] for one in answer["results"][1:] if one["code"] != "item-invalid")

    nothing = await send(house, company, b"no zip")
    assert (nothing.status_code, nothing.json()["type"]) == (422, "bundle-unreadable")
    large = await send(house, company, bytes(101 << 20))
    assert (large.status_code, large.json()["type"]) == (413, "bundle-too-large")


async def test_a_document_is_listed_read_and_taken_away(voice: Voice, house: House, company: str) -> None:
    await book(voice, house, company)
    await send(house, company, bundle([{"file": "Facture n° 1.pdf", "entry_id": entry_id("F1")}]))
    listed = (await house.get(company, "/documents", client_id="C1"))["documents"]
    ((known,),) = listed.values()
    assert (known["file_name"], known["attached_by"]) == ("Facture n° 1.pdf", "user:alice")
    assert (await house.get(company, "/client", client_id="C1"))["documents"] == listed
    asked = {"entry_ids": [entry_id("F1"), entry_id("F2")]}
    assert (await house.post(company, "/documents/query", asked)).json()["documents"] == listed

    address = f"/companies/{company}/documents/{known['document_id']}"
    read = await house.http.get(address, headers=house.token(company, role="reader"))
    assert read.content == PDF + "Facture n° 1.pdf".encode()
    assert read.headers["content-type"] == "application/pdf"
    assert "Facture%20n%C2%B0%201.pdf" in read.headers["content-disposition"]
    assert (await house.http.get(address, headers=house.token("another"))).status_code == 404

    body = {"document_id": known["document_id"]}
    assert (await house.post(company, "/remove-document", body)).status_code == 200
    assert (await house.http.get(address, headers=house.token(company))).status_code == 404
    assert (await house.post(company, "/remove-document", body)).json()["type"] == "unknown-document"
    assert "F1" in await missing(house, company)
    again = await send(house, company, bundle([{"file": "Facture n° 1.pdf", "entry_id": entry_id("F1")}]))
    assert again.json()["attached"] == 1, "what was taken away may come back"
    assert (await house.http.get(address, headers=house.token(company))).status_code == 200


async def test_documents_follow_a_merge_and_go_with_the_person(voice: Voice, house: House, company: str) -> None:
    await book(voice, house, company)
    await send(house, company, bundle([{"file": "F1.pdf", "entry_id": entry_id("F1")}]))
    gone = synced("F1", "C1", "100").model_copy(update={"removed": True})
    heard = await voice.run(company, [gone, gone.model_copy(update={"client_id": "C3", "removed": False})])
    await house.get(company, "/client", heard=heard, client_id="C3")
    assert (await house.post(company, "/merge-clients", {"client_id": "C1", "into": "C3"})).status_code == 200
    assert (await house.get(company, "/documents", client_id="C1"))["documents"] == {}
    ((known,),) = (await house.get(company, "/documents", client_id="C3"))["documents"].values()
    address = f"/companies/{company}/documents/{known['document_id']}"
    assert (await house.http.get(address, headers=house.token(company))).content == PDF + b"F1.pdf"

    kept = await house.get(company, "/person-data", client_id="C1")
    assert [one["file_name"] for one in kept["documents"]] == ["F1.pdf"]
    assert (await house.post(company, "/erase-person", {"client_id": "C1"})).status_code == 200
    assert (await house.http.get(address, headers=house.token(company))).status_code == 404
    assert len([1 for kind, _ in await house.said(company) if kind == "DocumentRemoved"]) == 2
    refused = await send(house, company, bundle([{"file": "F1.pdf", "invoice_number": "F1"}]))
    assert refused.json()["results"][0]["code"] == "person-erased"
    assert "F1" not in await missing(house, company)
    assert (await house.post(company, "/admit-person", {"client_id": "C1"})).status_code == 200
    assert "F1" in await missing(house, company)


async def test_a_persons_documents_are_put_together_beside_the_loop(
    voice: Voice, house: House, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be many and large: everybody else is answered meanwhile."""
    await book(voice, house, company)
    await send(house, company, bundle([{"file": f"F{n}.pdf", "invoice_number": f"F{n}"} for n in (1, 2)]))
    writing: set[int] = set()
    written = zipfile.ZipFile.writestr

    def noted(*told: Any, **how: Any) -> None:
        writing.add(threading.get_ident())
        written(*told, **how)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", noted)
    answer = await house.http.get(
        f"/companies/{company}/documents/of-person", params={"client_id": "C1"}, headers=house.token(company)
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        assert sorted(name.rpartition("/")[2] for name in found.namelist()) == ["F1.pdf", "F2.pdf"]
    assert writing
    assert threading.get_ident() not in writing


async def test_the_description_of_the_api_shows_how_to_send(house: House) -> None:
    """Who connects accounting reads it first."""
    described = (await house.http.get("/openapi.json")).json()
    sending = described["paths"]["/companies/{company}/documents"]["post"]
    assert "application/zip" in sending["requestBody"]["content"]
    assert "metadata.json" in sending["description"]
    for name in ("TakenDocuments", "MissingEntries"):
        assert described["components"]["schemas"][name]["examples"], name


async def test_a_connector_sends_documents_and_does_nothing_else(voice: Voice, house: House, company: str) -> None:
    await book(voice, house, company)
    agent = house.token(company, role="connector")
    address = f"/companies/{company}"
    listed = await house.http.get(f"{address}/documents/missing", headers=agent)
    assert listed.status_code == 200
    sent = bundle([{"file": "F1.pdf", "invoice_number": "F1"}])
    answer = await house.http.post(f"{address}/documents", content=sent, headers=agent)
    assert answer.json()["attached"] == 1
    known = answer.json()["results"][0]["document_ids"][0]
    for method, path, body in [
        ("GET", f"/documents/{known}", None),
        ("GET", "/documents?client_id=C1", None),
        ("GET", "/client?client_id=C1", None),
        ("GET", "", None),
        ("POST", "/remove-document", {"document_id": known}),
        ("POST", "/stop-client", {"client_id": "C1"}),
        ("POST", "/people/query", {}),
    ]:
        refused = await house.http.request(method, f"{address}{path}", json=body, headers=agent)
        assert (refused.status_code, refused.json()["type"]) == (403, "role-insufficient"), path
    assert (await house.http.get("/companies", headers=agent)).status_code == 403
    elsewhere = await house.http.get(
        f"{address}/documents/missing", headers=house.token("another", role="connector")
    )
    assert elsewhere.status_code == 404
