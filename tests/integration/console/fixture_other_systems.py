"""Other systems as reporting tells of them: a receiver that is behind, one at rest, a subscriber."""

from typing import Any

CRM = "11111111-2222-4333-8444-555555555555"
ERP = "11111111-2222-4333-8444-666666666666"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def webhook(webhook_id: str, url: str, **more: Any) -> dict[str, Any]:
    return {
        "webhook_id": webhook_id,
        "url": url,
        "events": ["*"],
        "active": True,
        "failures": 0,
        "resting_until": None,
        "told": None,
        "created_at": "2026-11-02T09:00:00+00:00",
        "created_by": "user:1",
        "previous_until": None,
        "waiting": 0,
        "dead": 0,
        "delivered": 0,
        "delivered_at": None,
        **more,
    }


def delivery(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"01937b2e-0000-7000-8000-{number:012d}",
        "type": "PromiseRecorded",
        "client_id": "411MUNOZSA",
        "status": status,
        "attempts": 1,
        "run_at": "2026-11-20T09:42:00+00:00",
        "told": "answered 204",
        "created_at": "2026-11-20T09:42:00+00:00",
        "changed_at": "2026-11-20T09:42:00+00:00",
        **more,
    }


def answers() -> dict[str, Any]:
    return {
        "/webhooks": {
            "webhooks": [
                webhook(
                    CRM,
                    "https://crm.delcourt.example/relance/evenements",
                    events=["PromiseBroken", "PromiseRecorded"],
                    waiting=12,
                    dead=2,
                    delivered=4312,
                    delivered_at="2026-11-20T09:42:00+00:00",
                    told="answered 503",
                ),
                webhook(ERP, "https://erp.delcourt.example/hook", active=False),
            ],
            "can_keep_secrets": True,
        },
        "/webhooks/deliveries": {
            "deliveries": [
                delivery(3, "waiting", attempts=4, told="answered 503"),
                delivery(2, "dead", attempts=12, told="no answer within 15 s"),
                delivery(1, "done", type="EntriesSynced", client_id=None),
            ]
        },
        "/webhooks/test": {"ok": False, "status": 503, "told": "answered 503", "seconds": 0.1},
        "/webhooks/rotate": {"webhook_id": CRM, "secret": SECRET},
        "/webhooks/retry": {"webhook_id": CRM, "retried": 2},
        "/subscribers": {
            "subscribers": [
                {
                    "name": "entrepot",
                    "user": "entrepot@delcourt",
                    "events": ["ActionDone", "EmailSent", "PaymentLettered", "PromiseRecorded"],
                    "since": "2026-10-01T00:00:00+02:00",
                    "created_at": "2026-10-01T08:00:00+00:00",
                    "created_by": "operator",
                    "rotated_at": None,
                    "previous_until": None,
                    "waiting": 1204,
                    "unacknowledged": 3,
                    "heard_at": "2026-11-20T09:42:00+00:00",
                }
            ]
        },
        "/subscribers/rotate": {"name": "entrepot", "connect": {"user": "entrepot@delcourt", "password": SECRET}},
    }
