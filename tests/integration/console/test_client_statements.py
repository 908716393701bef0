"""What people state on a client's page reaches ledger as its commands."""

from html import escape
from pathlib import Path
from typing import Any

import pytest

from services.console.language import words as spoken
from services.console.pages.options import options
from tests.integration.console.conftest import COMPANY, Person
from tests.integration.console.neighbours import POLICY, FakeServices, action_id, entry_id

CLIENT = "411MUNOZSA"
PAGE = f"/c/{COMPANY}/client?client_id={CLIENT}"
INVOICE = entry_id("FAC20114")
OF_CLIENT = {"client_id": CLIENT}
OF_ENTRY = {**OF_CLIENT, "entry_id": INVOICE}

FORMS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("stop-client", {"resumes_on": "2026-12-15"}, "/stop-client", {**OF_CLIENT, "resumes_on": "2026-12-15"}),
    ("stop-client", {"resumes_on": ""}, "/stop-client", OF_CLIENT),
    (
        "stop-entry",
        {"entry_id": INVOICE, "resumes_on": "2026-12-15"},
        "/stop-entry",
        {**OF_ENTRY, "resumes_on": "2026-12-15"},
    ),
    (
        "record-promise",
        {"entry_id": INVOICE, "amount": "900,00", "promised_on": "2026-12-01", "times": "2"},
        "/record-promises",
        {
            **OF_CLIENT,
            "promises": [
                {"entry_id": INVOICE, "amount": "450.00", "promised_on": "2026-12-01"},
                {"entry_id": INVOICE, "amount": "450.00", "promised_on": "2027-01-01"},
            ],
        },
    ),
    (
        "open-dispute",
        {"entry_id": INVOICE, "reason": "quantity", "comment": " Deux palettes manquent "},
        "/open-dispute",
        {**OF_ENTRY, "reason": "quantity", "comment": "Deux palettes manquent"},
    ),
    ("open-dispute", {"reason": "price"}, "/open-dispute", {**OF_CLIENT, "reason": "price", "comment": ""}),
    ("close-dispute", {"dispute_id": action_id("d")}, "/close-dispute", {"dispute_id": action_id("d")}),
    ("flag-client", {}, "/flag-client", OF_CLIENT),
    ("unflag-client", {}, "/unflag-client", OF_CLIENT),
    (
        "reposition-entry",
        {"entry_id": INVOICE, "expected_on": "20/12/2026"},
        "/reposition-entry",
        {**OF_ENTRY, "expected_on": "2026-12-20"},
    ),
    (
        "reposition-entry",
        {"entry_id": INVOICE, "expected_on": ""},
        "/reposition-entry",
        {**OF_ENTRY, "expected_on": None},
    ),
    (
        "contact",
        {"name": "Alice Martin", "email": "alice@example.org", "reminders_from": "2", "in_copy": "true"},
        "/contact",
        {
            **OF_CLIENT,
            "name": "Alice Martin",
            "department": "",
            "email": "alice@example.org",
            "phone": "",
            "notices": False,
            "reminders_from": 2,
            "thanks": False,
            "in_copy": True,
        },
    ),
    (
        "merge-clients",
        {"old_code": " 411MUNOZ-OLD "},
        "/merge-clients",
        {"client_id": "411MUNOZ-OLD", "into": CLIENT},
    ),
    ("remove-contact", {"contact_id": action_id("c")}, "/remove-contact", {"contact_id": action_id("c")}),
]


@pytest.mark.parametrize(("form", "fields", "path", "body"), FORMS)
async def test_a_form_becomes_the_command(  # noqa: PLR0917 - what a form is made of
    clerk: Person, fakes: FakeServices, form: str, fields: dict[str, Any], path: str, body: dict[str, Any]
) -> None:
    answer = await clerk.post(f"/c/{COMPANY}/client/{form}", on=PAGE, client_id=CLIENT, **fields)
    assert fakes.commands == [("ledger", path, body)]
    assert answer.status_code == 303
    assert "after=ledger" in answer.headers["location"]


async def test_a_note_mentions_colleagues(clerk: Person, fakes: FakeServices) -> None:
    """Rule 15.7."""
    await clerk.post(f"/c/{COMPANY}/client/add-note", on=PAGE, client_id=CLIENT, text="@Ferrand, vu ?")
    ((_, path, body),) = fakes.commands
    assert (path, body["text"]) == ("/add-note", "@Ferrand, vu ?")
    assert len(body["mentions"]) == 1
    assert body["mentions"][0].startswith("user:")


async def test_the_page_shows_what_was_stated(clerk: Person) -> None:
    shown = (await clerk.get(PAGE)).text
    for words in (
        "Litige",
        "attendu le 20/12/26",
        "Lucie Marchand",
        "Relances dès R3",
        "Ne plus suivre ce client",
    ):
        assert words in shown, words


async def test_payment_modes_are_classed_and_the_rest_of_the_policy_stays(
    clerk: Person, fakes: FakeServices
) -> None:
    """Rules 14.1, 22.5."""
    page = f"/c/{COMPANY}/rules"
    shown = (await clerk.get(page)).text
    for words in ("Prélèvement", "Chèque", "en litige"):
        assert words in shown, words
    await clerk.post(page, on=page, automatic=["Prélèvement", "Virement"], disputes_exclude="true")
    kept = {name: value for name, value in POLICY.items() if name != "version"}
    wanted = kept | {
        "automatic_payment_modes": ["Prélèvement", "Virement"],
        "promises_exclude": False,
        "disputes_exclude": True,
    }
    assert fakes.commands == [("dunning", "/policy", wanted)]


async def test_every_option_of_the_policy_has_its_sentence_and_its_rule(clerk: Person) -> None:
    page = (await clerk.get(f"/c/{COMPANY}/rules")).text
    for option in options():
        assert escape(spoken("fr").gettext(option.said)) in page, option.name
        assert f"Règle {option.rule}" in page
    rules = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
    for option in options():
        chapter, _, number = option.rule.partition(".")
        known = f"\n{option.rule} " in rules or f"| {option.rule} |" in rules
        assert known or (chapter == "22" and f"\n{number}. " in rules), option


async def test_options_are_saved_as_they_are_written(clerk: Person, fakes: FakeServices) -> None:
    """Rules 2.6, 7.5, 22.7, 22.13, 22.26; an amount as a Frenchman writes it."""
    page = f"/c/{COMPANY}/rules"
    written = {
        "mode": "account",
        "contact_gap_days": "7",
        "automatic_from": "2026-11-01",
        "stale_after_days": "2",
        "tolerance_days": "10",
        "tolerance_amount": "1 250,40",
        "minimum_per_reminder": "",
        "upcoming_credits_excluded": "true",
        "creditors_hidden": "true",
    }
    await clerk.post(page, on=page, automatic=["Prélèvement"], promises_exclude="true", **written)
    ((_, _, wanted),) = fakes.commands
    assert {name: wanted[name] for name in written} == {
        "mode": "account",
        "contact_gap_days": 7,
        "automatic_from": "2026-11-01",
        "stale_after_days": 2,
        "tolerance_days": 10,
        "tolerance_amount": "1250.40",
        "minimum_per_reminder": None,
        "upcoming_credits_excluded": True,
        "creditors_hidden": True,
    }
    assert wanted["calendar"] == POLICY["calendar"]


async def test_what_cannot_be_read_comes_back_as_it_was_typed(clerk: Person, fakes: FakeServices) -> None:
    page = f"/c/{COMPANY}/rules"
    answer = await clerk.post(page, on=page, tolerance_amount="dix euros", contact_gap_days="7")
    assert answer.status_code == 422
    assert "dix euros" in answer.text
    assert "Ne se lit pas" in answer.text
    assert 'value="7"' in answer.text
    assert fakes.commands == []


async def test_personal_data_is_shown_handed_out_and_erased_only_when_sure(
    clerk: Person, fakes: FakeServices
) -> None:
    page = f"/c/{COMPANY}/personal?client_id={CLIENT}"
    assert "Effacer définitivement" in (await clerk.get(page)).text
    file = await clerk.get(f"/c/{COMPANY}/personal/file?client_id={CLIENT}")
    assert file.json()["notify"]["messages"][0]["text"] == "Bonjour Madame Giraud"
    await clerk.post(f"/c/{COMPANY}/personal/erase", on=page, client_id=CLIENT)
    assert fakes.commands == []
    await clerk.post(f"/c/{COMPANY}/personal/erase", on=page, client_id=CLIENT, sure="true")
    assert fakes.commands == [("ledger", "/erase-person", OF_CLIENT)]


async def test_personal_data_is_for_administrators(reader: Person) -> None:
    assert (await reader.get(f"/c/{COMPANY}/personal?client_id={CLIENT}")).status_code == 403
    assert (await reader.get(f"/c/{COMPANY}/personal/file?client_id={CLIENT}")).status_code == 403
    assert (await reader.get(f"/c/{COMPANY}/personal/documents?client_id={CLIENT}")).status_code == 403


async def test_the_home_page_tells_who_mentions_me_and_what_comes_of_flagged_clients(clerk: Person) -> None:
    """Rules 15.7, 16.6."""
    shown = (await clerk.get(f"/c/{COMPANY}/home")).text
    for words in ("On vous mentionne", "Clients suivis", "Les 7 prochains jours", "FAC20162"):
        assert words in shown, words


async def test_the_lists_of_disputes_and_promises(clerk: Person) -> None:
    """Rules 10.7, 11.2."""
    disputes = (await clerk.get(f"/c/{COMPANY}/disputes")).text
    for words in ("Quantité", "Pénalités refusées", "Tout le compte", "9\u00a0296,00"):
        assert words in disputes, words
    promises = (await clerk.get(f"/c/{COMPANY}/promises")).text
    for words in ("Dépassée", "Attendue", "10\u00a0000,00"):
        assert words in promises, words


async def test_a_document_is_shown_on_its_line_and_handed_on(clerk: Person) -> None:
    shown = await clerk.get(PAGE)
    address = f"/c/{COMPANY}/documents/{action_id('invoice')}"
    assert address in shown.text
    assert "FAC20114.pdf" in shown.text
    file = await clerk.get(address)
    assert (file.content, file.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    assert "FAC20114.pdf" in file.headers["content-disposition"]


async def test_a_pdf_is_attached_and_taken_away(clerk: Person, fakes: FakeServices) -> None:
    fakes.commands.clear()
    sent = await clerk.post(
        f"/c/{COMPANY}/client/attach-document",
        on=PAGE,
        files={"file": ("Facture n° 1.pdf", b"%PDF-1.7")},
        **OF_ENTRY,
    )
    assert "done=attach-document" in sent.headers["location"]
    assert fakes.commands == [("ledger", "/documents", ["metadata.json", "Facture n° 1.pdf"])]
    empty = await clerk.post(
        f"/c/{COMPANY}/client/attach-document", on=PAGE, files={"file": ("leer.pdf", b"")}, **OF_ENTRY
    )
    assert "refused=file-missing" in empty.headers["location"]
    document = action_id("invoice")
    await clerk.post(f"/c/{COMPANY}/client/remove-document", on=PAGE, document_id=document, **OF_ENTRY)
    assert fakes.commands[-1] == ("ledger", "/remove-document", {"document_id": document})


async def test_an_administrator_gets_all_documents_of_a_person(clerk: Person) -> None:
    assert (await clerk.get(f"/c/{COMPANY}/personal/documents?client_id={CLIENT}")).status_code == 200


async def test_a_promise_is_orange_when_late_and_blue_when_ahead(clerk: Person) -> None:
    """Rule 10.3."""
    shown = (await clerk.get(PAGE)).text
    assert '<span class="b b-due">30/11/26</span>' in shown
    assert '<span class="b b-late">20/11/26</span>' in shown
