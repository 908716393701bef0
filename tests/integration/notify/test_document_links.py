"""Invoices' documents as links in the message, through the client's own pages (D2, rule 13.8)."""

from uuid import uuid4

import pytest

from services.notify.settings import NotifySettings
from tests.integration.notify.conftest import DAY, House, action, synced

PDF = b"%PDF-1.4 facture"
SPACE = "https://relance.example"


@pytest.fixture
def settings(settings: NotifySettings) -> NotifySettings:
    return settings.model_copy(update={"space_url": SPACE, "link_secret": "s3cret"})


async def test_a_message_links_to_its_invoices_where_the_company_or_the_template_says_so(
    house: House, company: str
) -> None:
    """Nothing is attached; links are the client's own and name one document each."""
    invoices = {one: synced(f"L-{one}-{company}", one, "100") for one in ("C1", "C2")}
    documents = {one: uuid4() for one in invoices}
    for one, invoice in invoices.items():
        house.people.documents[invoice.entry_id] = [(documents[one], f"{one}.pdf", PDF)]
    await house.voices.book(company, invoices.values())
    sender = await house.get(company, "/sender")
    assert sender["space_offered"] is True
    both = {"attach_invoices": True, "link_invoices": True}
    assert (await house.call(company, "PUT", "/sender", json=both)).status_code == 422
    linking = {"link_invoices": True}
    assert (await house.call(company, "PUT", "/sender", json=linking)).status_code == 200

    heard = await house.voices.proposed(company, action(company, "C1", [invoices["C1"]]))
    named = action(company, "C1", [invoices["C1"]])
    seen = await house.get(company, "/preview", heard, action_id=named.action_id)
    assert f"{SPACE}/d/exemple/documents/{documents['C1']}" in seen["html"]  # opens nothing
    assert seen["attachments"] == []

    await house.voices.due(company, named)
    await house.until_said(company, "EmailSent")
    mail = await house.get(company, "/message", action_id=named.action_id)
    assert mail["attachments"] == []
    link = mail["html"].partition(f'href="{SPACE}/d/')[2].partition('"')[0]
    token, _, document = link.partition("/documents/")
    assert document == str(documents["C1"])
    assert f"{SPACE}/d/{token}/documents/{document}" in mail["text"]
    on_the_day = {"Relance-As-Of": str(DAY)}
    opened = await house.http.post("/debtor-links/open", json={"link": token}, headers=on_the_day)
    assert (opened.status_code, opened.json()["client_id"]) == (200, "C1")
    assert house.people.fetched.count(documents["C1"]) == 0

    # the company links nothing any more, but a template of its own does
    assert (await house.call(company, "PUT", "/sender", json={})).status_code == 200
    text = {"name": "R2", "medium": "email", "language": "fr", "subject": "Rappel", "form": "text"}
    text |= {"kind": "reminder", "level": 2, "title": "R2", "body": "Bonjour,\n\n%documents%\n\n%sender_name%\n"}
    saved = await house.call(company, "PUT", "/templates", json=text)
    assert saved.status_code == 200, saved.text
    second = action(company, "C2", [invoices["C2"]], step="R2")
    first = action(company, "C2", [invoices["C2"]], step="R1")
    await house.voices.due(company, second)
    await house.until_said(company, "EmailSent", 2)
    mail = await house.get(company, "/message", action_id=second.action_id)
    assert f"/documents/{documents['C2']}" in mail["html"]
    heard = await house.voices.proposed(company, first)
    seen = await house.get(company, "/preview", heard, action_id=first.action_id)
    assert "/documents/" not in seen["html"]
