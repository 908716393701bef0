"""The other services as the console hears them: answers in their shapes, commands remembered."""

import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any
from uuid import UUID, uuid5

import httpx

from tests.integration.console import fixture_other_systems as other_systems
from tests.integration.console.fixture_late_interest import TERMS, late_interest
from tests.integration.console.fixture_parked import parked
from tests.integration.console.fixture_rebuilds import rebuild
from tests.integration.console.fixture_simulation import Simulations
from tests.integration.console.fixture_templates import Texts

AS_OF = date(2026, 11, 24)
NAMESPACE = UUID("7f6f2f5c-0000-4000-8000-000000000000")
DEBTORS = (
    (
        "Clément Bâtiment",
        "411CLEMENT",
        "Grand Compte",
        "Virement",
        "R3",
        "2026-11-16",
        8038,
        62430,
        57000,
        38214,
        False,
    ),
    ("Voisin Frères", "411VOISIN", "Interne", "Virement", None, None, 0, 0, 92009, 104096, False),
    (
        "Guyot Pasquier et Fils",
        "411GUYOTPASQUIER",
        "Standard",
        "Chèque",
        "R3",
        "2026-11-12",
        23398,
        5184,
        0,
        85135,
        False,
    ),
    ("Hubert Négoce", "411HUBERT", "Standard", "Virement", None, None, 0, 3796, 21756, 16597, False),
    ("Munoz S.A.", "411MUNOZSA", "Standard", "Virement", "R1", "2026-11-18", 0, 0, 22227, 7222, False),
    ("Garnier Agencement", "411GARNIER", "Standard", "Chèque", "R5", "2026-11-04", 13557, 0, 0, 0, False),
    (
        "Lemoine Distribution",
        "411LEMOINE",
        "Export",
        "Virement",
        "R2",
        "2026-11-18",
        1240,
        9870,
        2115,
        18460,
        False,
    ),
    ("Peron Menuiserie", "411PERON", "Standard", "Chèque", "R1", "2026-11-09", 0, 0, 9756, 4310, False),
    (
        "Mairie de Saint-Avold",
        "411MAIRIESTAVOLD",
        "Secteur public",
        "Mandat",
        "R1",
        "2026-11-13",
        0,
        6320,
        2408,
        12770,
        False,
    ),
    ("Hôtel du Parc", "411HOTELDUPARC", "Standard", "Virement", "R4", "2026-10-02", 5112, 2204, 0, 0, True),
    ("Da Costa S.A.", "411DACOSTA", "Standard", "Virement", "R2", "2026-11-18", 0, 1980, 4655, 9204, False),
    (
        "Établissements Rey Normand de la Vallée de la Moselle",
        "411REYNORMAND",
        "Standard",
        "Virement",
        "R1",
        "2026-11-19",
        0,
        0,
        2138,
        6480,
        False,
    ),
)


def entry_id(piece: str) -> str:
    return md5(piece.encode()).hexdigest()


def action_id(*parts: str) -> str:
    return str(uuid5(NAMESPACE, "/".join(parts)))


def money(amount: object) -> str:
    return f"{Decimal(str(amount)):.2f}"


def debtors() -> list[dict[str, Any]]:
    return [
        {
            "client_id": code,
            "name": name,
            "profile": profile,
            "category": None,
            "payment_mode": mode,
            "has_email": True,
            "has_phone": True,
            "stopped_on": "2026-10-05" if stopped else None,
            "flagged": code == "411MUNOZSA",
            "disputed": code == "411MUNOZSA",
            "level": level,
            "last_reminder_on": last,
            "slices": [money(old), money(middle), money(young)],
            "overdue": money(old + middle + young),
            "upcoming": money(upcoming),
            "total": money(old + middle + young + upcoming),
            "notes": len(name) % 4,
            "salesperson": SELLERS[len(code) % 3],
            "fields": {"tag1": REGIONS[len(name) % 3]} if len(name) % 4 else {},
        }
        for name, code, profile, mode, level, last, old, middle, young, upcoming, stopped in DEBTORS
    ]


SELLERS = [{"code": "4", "name": "Anne Caron"}, {"code": "7", "name": "Paul Roux"}, None]
REGIONS = ["Nord", "Grand Est", "Île-de-France"]
NAMED_FIELDS = {
    "client": [
        {"field": "tag1", "title": "Région", "listed": True},
        {"field": "tag2", "title": "Contrat", "listed": False},
    ],
    "entry": [{"field": "tag1", "title": "Chantier", "listed": True}],
}
SLICES = [
    {"key": "over_60", "from_days": 61, "to_days": None},
    {"key": "from_31_to_60", "from_days": 31, "to_days": 60},
    {"key": "from_1_to_30", "from_days": 1, "to_days": 30},
]


def totals(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def summed(key: str) -> str:
        return money(sum(Decimal(row[key]) for row in rows))

    slices = [money(sum(Decimal(row["slices"][index]) for row in rows)) for index in range(3)]
    return {
        "slices": slices,
        "overdue": summed("overdue"),
        "upcoming": summed("upcoming"),
        "total": summed("total"),
    }


def check(*names: str, amount: str = "0.00") -> dict[str, Any]:
    clients = [
        {"client_id": "411PERON", "name": name, "amount": "10.00", "on": None, "detail": None} for name in names
    ]
    return {"count": len(names), "amount": amount, "clients": clients}


def home() -> dict[str, Any]:
    top = debtors()[:10]
    monday = date(2026, 8, 31)
    weeks = [62, 71, 88, 54, 93, 79, 66, 102, 84, 71, 97, 91, 77]
    ageing = [("over_90", 81250), ("from_61_to_90", 74860), ("from_31_to_60", 168420), ("from_1_to_30", 287950)]
    ageing += [("in_0_to_30", 398205), ("in_31_to_60", 214332), ("after_60", 59600)]
    modes = [
        ("Virement", 318240, 402118),
        ("Chèque", 176905, 81440),
        ("LCR acceptée", 42310, 118766),
        (None, 61480, 38913),
    ]
    profiles = [("Standard", 288116, 281405), ("Grand Compte", 151332, 204880), ("Export", 38405, 62186)]

    def share(key: str | None, late: int, ahead: int) -> dict[str, Any]:
        return {
            "key": key,
            "overdue": money(late),
            "upcoming": money(ahead),
            "overdue_share": late / (late + ahead),
        }

    return {
        "as_of": AS_OF.isoformat(),
        "currency": "EUR",
        "owed": {
            "total": "1284617.00",
            "clients": 226,
            "overdue": "612480.00",
            "overdue_clients": 149,
            "upcoming": "672137.00",
            "upcoming_clients": 212,
        },
        "paid": {
            "since": "2026-08-26",
            "amount": "1035521.00",
            "weeks": [
                {"week_start": (monday + timedelta(weeks=index)).isoformat(), "amount": money(value * 1000)}
                for index, value in enumerate(weeks)
            ],
        },
        "to_remind": {
            "amount": "264846.00",
            "actions": 127,
            "clients": 119,
            "media": [
                {"medium": "phone", "actions": 71, "amount": "162305.40"},
                {"medium": "letter", "actions": 14, "amount": "41300.42"},
                {"medium": "email", "actions": 42, "amount": "61240.18"},
                {"medium": "other", "actions": 0, "amount": "0.00"},
            ],
        },
        "ageing": [
            {"key": key, "overdue": key.startswith(("over", "from")), "amount": money(value)}
            for key, value in ageing
        ],
        "slices": SLICES,
        "top": top,
        "top_totals": totals(top),
        "by_payment_mode": [share(*row) for row in modes],
        "by_profile": [share(*row) for row in profiles],
        "checks": {
            "lettering_errors": [
                {
                    "client_id": "411LEMOINE",
                    "name": "Lemoine Distribution",
                    "account": "411",
                    "lettering": "BK",
                    "difference": "120.00",
                }
            ],
            "lettering_error_count": 1,
            "failed_emails": check("Peron", "Descamps", "Hôtel du Parc"),
            "emails_in_doubt": check(),
            "late_without_contact": check("A", "B", amount="18412.00"),
            "late_promises": check("Peron", "Guyot Pasquier"),
            "stopped_for_long": check("Hôtel du Parc"),
            "stale": True,
            "count": 6,
        },
        "last_sync": {
            "on": "2026-11-22",
            "completed_at": "2026-11-22T07:17:00Z",
            "connector": "fec",
            "source": "fec.txt",
            "entries_read": 2000,
            "changed": 12,
            "archived": 0,
        },
        "last_round_on": AS_OF.isoformat(),
    }


PROMISES = {
    piece: [
        {
            "promise_id": action_id(f"promise {piece}"),
            "amount": amount,
            "currency": "EUR",
            "promised_on": promised_on,
            "status": status,
        }
    ]
    for piece, amount, promised_on, status in (
        ("FAC20131", "5000.00", "2026-11-30", "expected"),
        ("FAC20162", "1980.00", "2026-11-20", "late"),
    )
}

ENTRIES = (
    (
        "FAC19988",
        "2026-09-12",
        "2026-10-12",
        31,
        "settled",
        "5460.00",
        "0.00",
        "BC",
        "R1",
        "Portes atelier, lot 2",
    ),
    ("VIR11-204", "2026-11-12", "2026-11-12", 0, "settled", "0.00", "5460.00", "BC", None, "Règlement FAC19988"),
    ("FAC20114", "2026-09-30", "2026-10-30", 25, "late", "8412.36", "0.00", None, "R1", "Façade, situation 3"),
    ("FAC20131", "2026-10-01", "2026-10-31", 24, "late", "6240.00", "0.00", None, "R1", "Menuiseries bât. C"),
    ("FAC20162", "2026-10-09", "2026-11-08", 16, "late", "1980.00", "0.00", None, "R1", "Quincaillerie"),
    ("AVR00412", "2026-10-11", "2026-11-10", 14, "settled", "0.00", "640.32", None, "R1", "Avoir sur FAC20098"),
    ("FAC20190", "2026-10-16", "2026-11-15", 9, "late", "2274.00", "0.00", None, None, "Façade, situation 4"),
    ("FAC20233", "2026-11-02", "2026-12-02", -8, "upcoming", "4310.03", "0.00", None, None, "Vitrages hall"),
)


def statement() -> dict[str, Any]:
    lines = []
    for piece, written, due, late, badge, debit, credit, lettering, level, _label in ENTRIES:
        promised = piece == "FAC20131"
        lines.append(
            {
                "entry_id": entry_id(piece),
                "account": "411",
                "kind": "invoice",
                "journal": "VE",
                "piece": piece,
                "entry_date": written,
                "invoice_date": written,
                "due_date": due,
                "days_late": late,
                "badge": badge,
                "debit": debit,
                "credit": credit,
                "currency": "EUR",
                "book_amount": money(Decimal(debit) - Decimal(credit)),
                "payment_mode": "Virement",
                "lettering": lettering,
                "lettered_on": None,
                "open": lettering is None,
                "lettering_error": None,
                "level": level,
                "stopped_on": "2026-11-16" if piece == "FAC20162" else None,
                "resumes_on": "2026-12-15" if piece == "FAC20162" else None,
                "expected_on": "2026-12-20" if piece == "FAC20233" else None,
                "dispute_id": action_id("dispute") if piece == "FAC20162" else None,
                "dispute_reason": "quantity" if piece == "FAC20162" else None,
                "promises": PROMISES.get(piece, []),
                "notes": 1 if promised else 0,
                "excluded": ["entry_stopped"] if piece == "FAC20162" else [],
                "automatic": False if piece == "FAC20162" else None,
                "leaves_by_itself": promised,
                "pending_action_id": None,
            }
        )
    return {
        "on": AS_OF.isoformat(),
        "entries": lines,
        "debit": "23216.39",
        "credit": "640.32",
        "balance": "22576.07",
        "truncated": False,
        "late_interest": late_interest(entry_id("FAC20114"), "FAC20114"),
    }


def activity(
    kind: str, medium: str | None, step: str | None, status: str, colour: str, **more: Any
) -> dict[str, Any]:
    return {
        "activity_id": f"{kind}-{status}-{step}",
        "on": "2026-11-18",
        "at": "2026-11-18T09:42:00Z",
        "client_id": "411MUNOZSA",
        "name": "Munoz S.A.",
        "kind": kind,
        "medium": medium,
        "step": step,
        "status": status,
        "colour": colour,
        "status_at": None,
        "detail": None,
        "promised_on": None,
        "actor": "system:dunning",
        "amount": "8412.36",
        "currency": "EUR",
        "pieces": [{"entry_id": entry_id("FAC20114"), "piece": "FAC20114"}],
        "action_id": None,
        **more,
    }


def history() -> list[dict[str, Any]]:
    return [
        activity("reminder", "email", "R1", "opened", "green", action_id=action_id("sent")),
        activity(
            "reminder", "email", "R2", "failed", "red", detail="recipient_refused", action_id=action_id("failed")
        ),
        activity("reminder", "phone", "R2", "created", "grey"),
        activity("notice", "email", "notice", "sent", "blue", action_id=action_id("notice")),
        activity("promise", None, None, "expected", "blue", promised_on="2026-11-30", amount="5000.00"),
        activity("payment", None, None, "received", "green", detail="BC"),
        activity("stop", None, None, "recorded", "grey", amount=None, currency=None, pieces=[]),
    ]


def client_page() -> dict[str, Any]:
    summary = {"actions": 2, "last_on": "2026-11-18"}
    return {
        "as_of": AS_OF.isoformat(),
        "currency": "EUR",
        "client_id": "411MUNOZSA",
        "name": "Munoz S.A.",
        "known": True,
        "profile": "Standard",
        "category": "PME",
        "payment_mode": "Virement",
        "has_email": True,
        "has_phone": True,
        "has_address": True,
        "stopped_on": None,
        "stopped_by": None,
        "resumes_on": None,
        "flagged": True,
        "merged_into": None,
        "merged_from": ["411MUNOZ-OLD"],
        "amount_due": "29448.55",
        "overdue": "22226.52",
        "upcoming": "7222.03",
        "paid": "66112.13",
        "paid_since": "2026-08-26",
        "overdue_entries": 5,
        "upcoming_entries": 2,
        "overdue_since": "2026-10-30",
        "next_due_date": "2026-12-02",
        "last_payment_on": "2026-11-12",
        "average_delay_days": 11,
        "score": "B",
        "dso_days": 52,
        "level": "R1",
        "next_level": "R2",
        "has_scenario": True,
        "notice": summary,
        "reminder": summary,
        "thanks": {"actions": 0, "last_on": None},
        "pending": [
            {
                "action_id": action_id("phone"),
                "kind": "reminder",
                "step": "R2",
                "medium": "phone",
                "status": "proposed",
                "due_since": "2026-11-17",
                "days_since": 7,
                "amount": "12372.84",
                "net_amount": "11732.52",
                "currency": "EUR",
                "entry_ids": [entry_id("FAC20114")],
            }
        ],
        "notes": 2,
        "promises": [],
        "disputes": [dispute()],
        "statement": statement(),
        "history": history(),
        "history_count": 7,
        "previous_client_id": "411MARTINS",
        "next_client_id": "411PERON",
    }


def dispute(**more: Any) -> dict[str, Any]:
    return {
        "dispute_id": action_id("dispute"),
        "client_id": "411MUNOZSA",
        "name": "Munoz S.A.",
        "entry_id": entry_id("FAC20162"),
        "piece": "FAC20162",
        "reason": "quantity",
        "opened_on": "2026-11-16",
        "opened_by": "user:unknown",
        "days_open": 8,
        "closed_on": None,
        "closed_by": None,
        "level": "R1",
        "amount": "1980.00",
        "due": "29448.55",
        **more,
    }


def _money(path: str) -> dict[str, Any]:
    from tests.integration.console import fixture_forecast as money

    played = {
        "/forecast": money.forecast,
        "/expected": money.expected,
        "/receipts": money.receipts,
        "/payers": money.payers,
        "/cash-objectives": money.objectives,
    }
    return {path: played[path]()} if path in played else {}


def due_items() -> dict[str, Any]:
    """Two invoices of one message that leaves by itself, one that a person calls about."""
    rows = [
        {
            "entry_id": entry_id(piece),
            "client_id": "411MUNOZSA",
            "name": "Munoz S.A.",
            "piece": piece,
            "due_date": due,
            "days_late": late,
            "step": step,
            "medium": medium,
            "due_since": "2026-11-20",
            "level": level,
            "amount": amount,
            "currency": "EUR",
            "action_id": action_id("411MUNOZSA", step, medium),
            "automatic": medium == "email",
        }
        for piece, due, late, step, medium, level, amount in (
            ("FAC20114", "2026-10-30", 25, "R2", "phone", "R1", "8412.36"),
            ("FAC20131", "2026-11-05", 19, "R1", "email", None, "3960.48"),
            ("FAC20156", "2026-11-08", 16, "R1", "email", None, "1245.00"),
        )
    ]
    return {"as_of": AS_OF.isoformat(), "count": 3, "rows": rows, "page": 1, "size": 50, "pages": 1}


def event(kind: str, on: str, piece: str | None, **more: Any) -> dict[str, Any]:
    return {
        "on": on,
        "client_id": "411MUNOZSA",
        "name": "Munoz S.A.",
        "kind": kind,
        "step": None,
        "medium": "phone" if kind == "action" else None,
        "detail": None,
        "piece": piece,
        "amount": "4310.03",
        "currency": "EUR",
        **more,
    }


def promise(status: str, promised_on: str, late: int) -> dict[str, Any]:
    return {
        "promise_id": action_id("promise", status),
        "client_id": "411MUNOZSA",
        "name": "Munoz S.A.",
        "entry_id": entry_id("FAC20131"),
        "piece": "FAC20131",
        "amount": "5000.00",
        "currency": "EUR",
        "promised_on": promised_on,
        "days_late": late,
        "status": status,
        "recorded_on": "2026-11-10",
        "level": "R1",
        "overdue": "22226.52",
    }


def contact(name: str, **more: Any) -> dict[str, Any]:
    return {
        "contact_id": action_id("contact", name),
        "source": None,
        "name": name,
        "department": "",
        "email": "",
        "phone": "",
        "notices": False,
        "reminders_from": None,
        "thanks": False,
        "in_copy": False,
        "by_hand": True,
        **more,
    }


def person() -> dict[str, Any]:
    return {
        "client_id": "411MUNOZSA",
        "version": 3,
        "name": "Munoz S.A.",
        "contact_name": "M. Stéphane Goncalves",
        "emails": ["compta@munoz-sa.example"],
        "phones": ["01 96 59 24 39", "06 55 67 97 92"],
        "address": {"street": "238, place Jourdan", "postcode": "54000", "city": "Nancy"},
        "language": "fr",
        "stop": None,
        "stopped_entries": [],
        "promises": [],
        "disputes": [],
        "contacts": [
            contact(
                "Lucie Marchand",
                department="Comptabilité fournisseurs",
                email="l.marchand@munoz-sa.example",
                phone="01 96 59 24 40",
                notices=True,
                reminders_from=1,
            ),
            contact("Henri Munoz", department="Direction", email="h.munoz@munoz-sa.example", reminders_from=3),
        ],
        "notes": [
            {
                "note_id": action_id("note"),
                "entry_id": entry_id("FAC20131"),
                "author": "user:unknown",
                "text": "M. Goncalves promet 5 000 € sur FAC20131 pour le 30/11.",
                "written_at": "2026-11-18T09:42:00+00:00",
                "written_on": "2026-11-18",
                "mentions": [],
            }
        ],
        "documents": {entry_id("FAC20114"): [{"document_id": action_id("invoice"), "file_name": "FAC20114.pdf"}]},
        "labels": {entry_id(line[0]): line[9] for line in ENTRIES},
        "fields": {"tag1": "Grand Est", "tag2": "Cadre 2026"},
        "fields_told": {"tag1": "Nord"},
        "fields_by_hand": {"tag1": "Grand Est", "tag2": "Cadre 2026"},
        "named_fields": NAMED_FIELDS,
        "entry_fields": {entry_id("FAC20114"): {"tag1": "Pont de Nancy"}},
        "salesperson": {"code": "4", "name": "Anne Caron"},
    }


PROFILES = {"Standard": "Standard", "Export": "Export", "Grand Compte": "Grands comptes", "Interne": "Interne"}

MAIL = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Rappel</title></head>
<body style="font-family:Arial"><p>Bonjour Madame Giraud,</p><p>Sauf erreur de notre part, <b>2 factures</b>
restent à régler.</p></body></html>"""


COPY_ID = "0b0c7a52-2a7e-4c07-9f3e-6f1d7f0f5c11"
POLICY = {
    "version": 3,
    "mode": "item",
    "netting": "same_level",
    "default_profile": "Standard",
    "minimum_per_entry": None,
    "minimum_per_reminder": "50.00",
    "maximum_per_reminder": None,
    "promises_exclude": True,
    "automatic_payment_modes": ["Prélèvement"],
    "disputes_exclude": False,
    "calendar": {"weekdays": None, "month_days": None, "skip_holidays": None, "not_before": None},
    "creditors_hidden": False,
    "upcoming_credits_excluded": False,
    "contact_gap_days": 5,
    "automatic_from": None,
    "stale_after_days": 1,
    "tolerance_days": 0,
    "tolerance_amount": None,
}


def archive_answered(path: str) -> Any:
    """Three records of one client, a chain that is whole, a file."""
    if path == "/collection-file":
        named = {"Content-Disposition": 'attachment; filename="dossier-de-recouvrement-411MUNOZSA.zip"'}
        return httpx.Response(200, content=b"PK\x03\x04", headers=named)
    if path == "/archive/verify":
        return {"records": 1204, "contents": 980, "erased": 0, "head": "a" * 64, "broken": None}
    sent = ("email_sent", "R1", {"recipients": ["compta@munoz-sa.example"]})
    letter = ("letter_prepared", "R4", {"address": ["Munoz S.A.", "3 rue du Port", "57000 Metz"]})
    report = ("email_report", None, {"address": "compta@munoz-sa.example"})
    records = [
        {
            "n": 1200 + place,
            "kind": kind,
            "as_of": "2026-11-18",
            "facts": {"step": step} if step else {},
            "person": person,
            "hash": md5(kind.encode()).hexdigest() * 2,
        }
        for place, (kind, step, person) in enumerate((sent, report, letter))
    ]
    return {"records": records, "head": {"n": 1204, "hash": "a" * 64}}


def letters_answered(path: str, body: Any, asked: str | None) -> dict[str, Any]:
    """Notify about letters."""
    if path == "/letters/prepare":
        return {"prepared": body["action_ids"], "refused": [], "waiting": [], "positions": ["notify/7/2"]}
    if path == "/letters/posted":
        return {"posted": len(body["action_ids"]), "positions": ["notify/7/3"]}
    known = letter_of(asked or str(action_id("411CLEMENT", "R1", "letter")))
    if path == "/letters":
        return {"prepared": 1, "posted": 2, "letters": [known | {"posted_on": "2026-11-24"}]}
    return known


def letter_of(name: str) -> dict[str, Any]:
    """A letter that is to be posted."""
    return {
        "action_id": name,
        "client_id": "411CLEMENT",
        "step": "R1",
        "language": "fr",
        "subject": "Solde échu : 1 240,00 €",
        "address": ["Clément et fils", "1 rue du Port", "57000 Metz"],
        "pages": 1,
        "amount": "1240.00",
        "currency": "EUR",
        "sha256": "ab" * 32,
        "registered": True,
        "registered_number": "1A 123 456 7890 1",
        "written_on": "2026-11-24",
        "prepared_by": "user:alice",
        "prepared_at": "2026-11-24T09:00:00+00:00",
        "posted_on": None,
        "posted_by": None,
        "state": "prepared",
        "erased": False,
        "html": MAIL,
    }


DATA = frozenset(
    {"name", "client_name", "contact_name", "label", "text", "note", "comment", "subject", "salesperson", "piece"}
    | {"line1", "city", "title", "reason_text", "function", "department", "value"}
)


def _saying(found: Any, words: str) -> Any:
    """The same answer, where everything that people or accounting wrote says ``words``."""
    if isinstance(found, list):
        return [_saying(one, words) for one in found]
    if isinstance(found, dict):
        return {
            name: words if name in DATA and isinstance(one, str) else _saying(one, words)
            for name, one in found.items()
        }
    return found


def _zipped(name: str, content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as whole:
        whole.writestr(name, content)
    return made.getvalue()


PAID_TWICE = {
    "payment_id": "6f0cbb61-93a6-4be5-8a2d-2f2a34d9c0f1",
    "client_id": "411MUNOZSA",
    "amount": "1250.4000",
    "currency": "EUR",
    "state": "paid",
    "created_at": "2026-11-21T09:42:00+00:00",
    "ended_at": "2026-11-21T09:44:00+00:00",
    "returned": "0.0000",
    "returned_at": None,
    "contested": "0.0000",
    "surplus": "1000.0000",
}
"""An online payment of which a part had been paid online before."""


@dataclass
class FakeServices:
    """Answers like the services; ``commands`` holds what was asked of them."""

    commands: list[tuple[str, str, Any]] = field(default_factory=list)
    sent: int = 0
    refuse: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    fails: dict[str, type[httpx.HTTPError]] = field(default_factory=dict)
    """Path to how the connection fails, after what was sent on it was heard."""
    reported: dict[str, Any] = field(default_factory=lambda: {"state": "sent", "words": "250 Kept"})
    tasks: dict[str, Any] = field(default_factory=dict)
    explained: dict[str, Any] = field(default_factory=dict)
    headers: list[httpx.Headers] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Service, path and parameters of every question."""
    simulations: Simulations = field(default_factory=Simulations)
    texts: Texts = field(default_factory=Texts)
    said_by_data: str = ""
    """Where it is set, what names, labels and notes say in every answer."""
    own: list[dict[str, Any]] = field(default_factory=list)
    """Policies of single clients."""

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.headers.append(request.headers)
        service = request.url.host
        path = "/" + "/".join(request.url.path.split("/")[3:])
        self.asked.append((service, path, dict(request.url.params)))
        if path == "/person-files" and path not in self.refuse and service not in self.silent:
            return httpx.Response(200, content=_zipped(f"{service}/one.pdf", b"%PDF-1.7"))
        if path.startswith("/documents/"):
            disposition = {"Content-Disposition": "inline; filename*=UTF-8''FAC20114.pdf"}
            return httpx.Response(
                200, content=b"%PDF-1.7", headers={"Content-Type": "application/pdf", **disposition}
            )
        if service in self.silent:
            raise httpx.ConnectError("nobody listens", request=request)
        if path in self.fails:
            raise self.fails[path]("cut", request=request)
        if path in self.refuse:
            return httpx.Response(self.refuse[path]["status"], json=self.refuse[path])
        body = json.loads(request.content) if request.content[:1] == b"{" else None
        if request.content[:2] == b"PK":
            body = zipfile.ZipFile(io.BytesIO(request.content)).namelist()
        if request.method in {"POST", "PUT"} and not path.endswith("/query"):
            self.commands.append((service, path, body))
        if path.startswith("/parked/"):
            return httpx.Response(200, json={"applied": 3})
        of_every_service = {"/parked": parked, "/rebuild": rebuild}.get(path)
        found = (
            of_every_service(service) if of_every_service else getattr(self, f"_{service}")(path, body, request)
        )
        if isinstance(found, httpx.Response):
            return found
        return (
            httpx.Response(404, json={"type": "not-found", "status": 404})
            if found is None
            else httpx.Response(200, json=self._said(path, found))
        )

    def _said(self, path: str, found: Any) -> Any:
        """Names of templates are words that we allow, and their addresses."""
        return _saying(found, self.said_by_data) if self.said_by_data and path != "/templates" else found

    def _ledger(self, path: str, body: Any, request: httpx.Request) -> Any:
        if request.method in {"POST", "PUT"} and not path.endswith("/query"):
            results = [{"status": "attached"}] if path == "/documents" else []
            assigned = len(body["client_ids"]) if path == "/assign-profiles" else None
            told = {"results": results, "assigned": assigned}
            return {"position": "ledger/7/42", "positions": ["ledger/7/42"], **told}
        if path == "/people/query":
            known = {code: name for name, code, *_ in DEBTORS}
            people = [{"client_id": one, "name": known.get(one, one)} for one in body["client_ids"]]
            return {"people": people, "next": None}
        if path == "/client" and request.url.params["client_id"] == "NOBODY":
            return None
        return {
            "/": {
                "company": "delcourt",
                "name": "Ateliers Delcourt",
                "time_zone": "Europe/Paris",
                "currency": "EUR",
                "country": "FR",
                "fiscal_year_start": "01-01",
                "profiles": PROFILES,
                "default_profile": "Standard",
                "dispute_reasons": ["price", "quantity", "Pénalités refusées"],
            },
            "/profiles": {
                "profiles": [
                    {
                        "profile": word,
                        "name": name,
                        "is_default": word == "Standard",
                        "clients": clients,
                        "chosen": clients // 9,
                    }
                    for (word, name), clients in zip(PROFILES.items(), (180, 31, 15, 0), strict=True)
                ],
                "default": "Standard",
                "unlisted": [{"profile": "GROSSISTE", "clients": 3}],
            },
            "/client": person(),
            "/fields": NAMED_FIELDS,
            "/late-interest": TERMS,
            **_money(path),
            "/retention": {
                "periods": {"messages": 60, "answers": 60, "reports": 12, "files": None, "archive": 120},
                "holds": [{"client_id": "411MUNOZSA", "placed_on": "2026-11-02", "placed_by": "user:x"}],
                "due": {"files": 3},
            },
            "/person-data": {
                "client_id": "411MUNOZSA",
                "erased": None,
                "sources": [{"source": "fec", "name": "Munoz S.A."}],
                "contacts": [],
                "notes": [{"text": "M. Goncalves promet"}],
                "labels": [],
                "documents": [{"document_id": action_id("invoice"), "file_name": "F1.pdf"}],
            },
        }.get(path)

    def _reporting(self, path: str, body: Any, request: httpx.Request) -> Any:
        rows = debtors()
        table = {
            "as_of": AS_OF.isoformat(),
            "currency": "EUR",
            "slices": SLICES,
            "fields": [{"field": "tag1", "title": "Région"}],
            "clients": 226,
            "overdue_clients": 149,
            "stopped_clients": 4,
            "totals": totals(rows),
            "rows": rows,
            "page": 1,
            "size": 15,
            "pages": 16,
        }
        if path == "/client" and request.url.params["client_id"] in {"NOBODY", "NEWCOMER"}:
            return None
        if path.startswith(("/webhooks", "/subscribers")):
            return other_systems.answers().get(path, {})
        return {
            "/home": home(),
            "/who-owes-what": {**table, "rows": [], "clients": 0, "pages": 0}
            if request.url.params.get("q") == "personne"
            else table,
            "/clients": table,
            "/client": client_page(),
            "/activities": {
                "as_of": AS_OF.isoformat(),
                "count": 7,
                "rows": history(),
                "page": 1,
                "size": 50,
                "pages": 1,
            },
            "/timeline": {
                "as_of": AS_OF.isoformat(),
                "flagged": 1,
                "ahead": [event("due", "2026-11-27", "FAC20233"), event("action", "2026-11-24", None, step="R2")],
                "week": [event("dispute", "2026-11-18", "FAC20162", detail="quantity")],
                "month": [],
            },
            "/alerts": {
                "late_after": 7,
                "counts": {"mail": 1, "reply": 0, "late_action": 0, "missing_contact": 0, "stopped_late": 0},
                "rows": [],
            },
            "/mentions": {
                "as_of": AS_OF.isoformat(),
                "rows": [
                    {
                        "note_id": action_id("note"),
                        "client_id": "411MUNOZSA",
                        "name": "Munoz S.A.",
                        "entry_id": entry_id("FAC20131"),
                        "piece": "FAC20131",
                        "on": "2026-11-18",
                        "at": "2026-11-18T09:42:00Z",
                        "by": "user:unknown",
                    }
                ],
            },
            "/disputes": {
                "as_of": AS_OF.isoformat(),
                "currency": "EUR",
                "count": 2,
                "amount": "9296.00",
                "due": "36764.55",
                "rows": [
                    dispute(),
                    dispute(
                        dispute_id=action_id("dispute", "parc"),
                        client_id="411HOTELDUPARC",
                        name="Hôtel du Parc",
                        entry_id=None,
                        piece=None,
                        reason="Pénalités refusées",
                        level="R4",
                        amount="7316.00",
                        due="7316.00",
                    ),
                ],
                "page": 1,
                "size": 50,
                "pages": 1,
            },
            "/promises": {
                "as_of": AS_OF.isoformat(),
                "currency": "EUR",
                "count": 2,
                "amount": "10000.00",
                "overdue": "22226.52",
                "rows": [promise("late", "2026-11-20", 4), promise("expected", "2026-11-30", -6)],
                "page": 1,
                "size": 50,
                "pages": 1,
            },
            "/due-items": due_items(),
            **_money(path),
            "/options": {
                "profiles": ["Export", "Grand Compte", "Standard"],
                "categories": ["PME"],
                "payment_modes": ["Chèque", "Virement"],
                "levels": ["R1", "R2", "R3"],
                "actors": [],
                "salespeople": [one for one in SELLERS if one],
                "fields": [{"field": "tag1", "title": "Région", "values": sorted(REGIONS)}],
            },
            "/search": {
                "q": "mu",
                "clients": [
                    {"client_id": "411MUNOZSA", "name": "Munoz S.A.", "profile": "Standard", "stopped": False}
                ],
                "pieces": [
                    {
                        "entry_id": entry_id("FAC20114"),
                        "client_id": "411MUNOZSA",
                        "name": "Munoz S.A.",
                        "piece": "FAC20114",
                        "due_date": "2026-10-30",
                        "amount": "8412.36",
                        "open": True,
                    }
                ],
            },
        }.get(path)

    def _explain(self, path: str, as_of: str | None) -> Any:
        from tests.integration.console.fixture_explained import explained, past_statement

        if as_of is None:
            return self.explained
        return explained(as_of) if path == "/explain" else past_statement(as_of)

    def _dunning(self, path: str, body: Any, request: httpx.Request) -> Any:  # noqa: PLR0911 - one per question
        if path == "/policy":
            return {"positions": ["dunning/7/14"]} if request.method == "PUT" else POLICY
        if path.startswith("/scenarios"):
            from tests.integration.console.fixture_scenarios import answered

            return answered(path, body, request, AS_OF)
        if path == "/tasks":
            return self.tasks
        if path == "/confirm":
            return {"confirmed": body["action_ids"], "refused": [], "positions": ["dunning/7/12"]}
        if path in {"/explain", "/statement"}:
            return self._explain(path, request.url.params.get("as_of"))
        if path == "/client-policies":
            asked = request.url.params.get("client_id")
            return {"clients": [one for one in self.own if asked in (None, one["client_id"])]}
        if path == "/client-policy":
            self.own = [one for one in self.own if one["client_id"] != body["client_id"]]
            self.own += [body] if any(body[name] for name in body if name != "client_id") else []
            return {"positions": ["dunning/7/15"]}
        if path == "/automatic":
            return {"positions": ["dunning/7/16"], "chosen": len(body["entries"]), "unknown": []}
        if path == "/include":
            return {"positions": ["dunning/7/13"]}
        if path == "/by-criteria/query":
            from tests.integration.console.fixture_tasks import found_by_criteria

            return found_by_criteria(body)
        if path == "/by-hand/plan":
            return {"action": {"client_id": body["client_id"], "step": "R2"}, "reasons": [], "choices": []}
        if path == "/by-hand":
            done = [wish["request_id"] for wish in body["actions"]]
            return {"done": done, "refused": [], "positions": ["dunning/7/15"]}
        return self.simulations.answer(path, request.url.params.get("kind"))

    def _notify(self, path: str, body: Any, request: httpx.Request) -> Any:  # noqa: PLR0911 - one per question
        mail = {
            "action_id": request.url.params.get("action_id"),
            "client_id": "411MUNOZSA",
            "subject": "411MUNOZSA Solde échu : 4 656,98 €",
            "from": "Ateliers Delcourt <compta@delcourt.example>",
            "to": "compta@munoz-sa.example",
            "html": MAIL,
            "text": "Bonjour",
            "at": "2026-11-18T09:42:00+00:00",
            "status": "sent",
            "reason": None,
            "opened_at": None,
            "held_back_by": None,
            "template": "R1",
            "template_language": "fr",
            "template_version": 2,
        }
        if path.startswith(("/archive", "/collection-file")):
            return archive_answered(path)
        if path.startswith("/letter"):
            return letters_answered(path, body, request.url.params.get("action_id"))
        if path == "/cash-report":
            return self.reported
        if path == "/copies":
            anna = {"copy_id": COPY_ID, "email": "anna@delcourt.example", "name": "Anna", "user_id": None}
            return {"copies": [anna]} if request.method == "GET" else {"copy_id": COPY_ID}
        if path.startswith("/templates") or path == "/sender":
            return self.texts.answer(path, body, request)
        if path == "/person-data":
            message = {"text": "Bonjour Madame Giraud", "recipients": ["compta@munoz-sa.example"]}
            return {"person": None, "messages": [message], "drafts": [], "comments": []}
        if path == "/sending/query":
            asked = len(body["action_ids"])
            left = min(self.sent, asked)
            self.sent += 4
            counts = {
                "waiting": asked - left,
                "sending": 0,
                "sent": left,
                "failed": 0,
                "in_doubt": 0,
                "withheld": 0,
            }
            return {
                "total": asked,
                **counts,
                "opened": 0,
                "finished": asked == left,
                "troubles": [],
                "hindered_by": [],
            }
        return {
            "/message": mail,
            "/preview": mail,
            "/complete-task": {"positions": ["notify/7/1"]},
            "/replies/handled": {"positions": ["notify/7/2"]},
            "/mail-server": {
                "saved": None,
                "shared": "smtp.example",
                "can_keep_passwords": True,
                "hindered_by": {},
            },
            "/dkim": {"key": None},
            "/opens-consents": {"tracked": False, "emails": []},
            "/mailbox": {"saved": None, "can_keep_passwords": True},
            "/mail-authorization": {
                "saved": {
                    "provider": "microsoft",
                    "way": "consent",
                    "tenant": "delcourt.example",
                    "client_id": "11111111-2222-3333-4444-555555555555",
                    "has_secret": True,
                    "secret_kind": "secret",
                    "authorize_url": "",
                    "token_url": "",
                    "revoke_url": "",
                    "scope": "",
                    "hosts": ["smtp.office365.com", "outlook.office365.com"],
                    "connected": True,
                    "consented_by": "x",
                    "consented_at": "2026-11-18T09:42:00+00:00",
                    "trouble": "authorization_ended",
                    "trouble_since": "2026-11-20T09:42:00+00:00",
                    "changed_by": "x",
                    "changed_at": "2026-11-18T09:42:00+00:00",
                },
                "redirect_uri": "https://relance.example/mail-consent",
                "can_keep_passwords": True,
            },
            "/retention/due": {"as_of": "2026-11-24", "due": {"messages": 12, "letters": 0}},
            "/payments": {"payments": [PAID_TWICE]},
            "/payments/to-refund": {"payments": [PAID_TWICE]},
            "/online-payment": {
                "saved": {
                    "live": False,
                    "account_id": "acct_1Qf7",
                    "methods": ["card"],
                    "minimum": "0.50",
                    "maximum": None,
                    "use_credits": True,
                    "changed_by": "x",
                    "changed_at": "2026-11-20T09:42:00+00:00",
                    "heard_at": "2026-11-20T10:02:00+00:00",
                },
                "operators": False,
                "can_keep_secrets": True,
                "space_offered": True,
                "webhook_url": "https://relance.example/stripe/delcourt",
                "events": ["checkout.session.completed", "checkout.session.expired"],
            },
            "/mailboxes": {
                "places": [
                    {
                        "place": "imap",
                        "read_at": "2026-11-18T09:42:00+00:00",
                        "trouble": "mailbox_login_refused",
                        "trouble_since": "2026-11-20T09:42:00+00:00",
                    }
                ],
                "authorization": {
                    "trouble": "authorization_ended",
                    "trouble_since": "2026-11-20T09:42:00+00:00",
                },
                "unread": [{"trouble": "too_large", "mails": 2, "since": "2026-11-19T09:42:00+00:00"}],
                "last_days": {"hard": {"bound": 2, "unbound": 1}, "reply": {"bound": 3, "unbound": 0}},
            },
            "/debtor-links": {
                "offered": True,
                "days": 60,
                "revoked_at": "2026-11-18T09:42:00+00:00",
                "revoked_by": "user:unknown",
            },
        }.get(path)

    def _sync(self, path: str, body: Any, request: httpx.Request) -> Any:
        run = {
            "run_id": action_id("run"),
            "status": "failed",
            "read": 0,
            "receivable_lines": 0,
            "clients": 0,
            "open_entries": 0,
            "open_balance": None,
            "changed": 0,
            "warnings": [],
            "requested_at": "2026-11-24T07:17:00+00:00",
            "file": "fec.txt",
            "errors": [
                {
                    "file": "fec.txt",
                    "line": 12,
                    "column": "EcritureDate",
                    "code": "date-unreadable",
                    "message": "La date 2026-13-40 n'existe pas.",
                    "remedy": "Corrigez la ligne 12 dans la comptabilité.",
                }
            ],
        }
        mapping = {
            "holds": "entries",
            "columns": {"client_id": "Code", "amount": "Solde", "due_date": "Echue le"},
        }
        look = {
            "sample_id": action_id("sample"), "file": "factures-2026.csv", "sheets": [], "encoding": "utf-8",
            "columns": [
                {"name": "Code", "examples": ["C1", "C2"], "field": "client_id"},
                {"name": "Solde", "examples": ["1 200,50"], "field": "amount"},
                {"name": "Echue le", "examples": ["31/12/2026"], "field": "due_date"},
                {"name": "Commentaire", "examples": [], "field": None},
            ],
            "rows": [["C1", "1 200,50", "31/12/2026", ""]],
            "mapping": {**mapping, "dates": "DD/MM/YYYY", "decimal": ",", "thousands": " ", "separator": ";"},
        }  # fmt: skip
        kept = {"name": "factures", "holds": "entries", "mapping": mapping, "changed_by": "user:alice"}
        place = {"kind": "folder", "folder": "exports"}
        inlet = {"place": place, "pattern": "*.csv", "reading": "factures", "watched": True}
        slot = {"slot_id": action_id("slot"), "inlet": "exports", "connector": None, "watching": False}
        live = {"name": "bijou", "source": "sage100/BIJOU", "is_silent": True}
        known = {
            "/imports": {"runs": [run]},
            "/mappings": {"mappings": [kept | {"changed_at": "2026-11-20T10:00:00+00:00"}]},
            "/mappings/factures": mapping,
            "/inlets": {
                "inlets": [{"name": "exports", "inlet": inlet, "looked_at": None, "trouble": None, "files": 0}],
                "slots": [slot | {"cron": "30 6 * * 1-5", "next_at": "2026-11-25T05:30:00+00:00"}],
            },
            "/connectors": {"connectors": [live | {"last_seen_at": "2026-11-24T05:00:00+00:00"}]},
        }
        if path.startswith("/samples"):
            return look
        return {"run_id": run["run_id"]} if request.method == "POST" else known.get(path, run)
