"""A debtor's token names one client of one company, and opens what is marked for debtors alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from joserfc.jwk import OKPKey

from chassis.auth import ROLES, TokenRefused, mint, new_key_pair, verify
from services.dunning.api import router as dunning
from services.ledger.api import router as ledger
from services.notify.api import router as notify
from services.reporting.api import router as reporting
from services.sync.api import router as sync

PAIR = new_key_pair()
PRIVATE, PUBLIC = OKPKey.import_key(PAIR.private), OKPKey.import_key(PAIR.public)


def test_a_debtor_is_least() -> None:
    who = verify(mint(PRIVATE, "debtor", ["acme"], "debtor", client_id="411DUPONT"), PUBLIC)
    assert (who.client_id, who.companies) == ("411DUPONT", ("acme",))
    assert not any(who.is_at_least(role) for role in ROLES if role != "debtor")


@pytest.mark.parametrize(
    ("companies", "role", "client_id"),
    [
        (["acme"], "debtor", None),
        (["acme"], "debtor", ""),
        (["acme", "other"], "debtor", "411DUPONT"),
        (["*"], "debtor", "411DUPONT"),
        (["acme"], "user", "411DUPONT"),
    ],
)
def test_anything_between_a_debtor_and_a_user_is_refused(companies, role, client_id) -> None:
    with pytest.raises(TokenRefused):
        verify(mint(PRIVATE, "debtor", companies, role, client_id=client_id), PUBLIC)


def test_what_debtors_may_call_is_a_short_list() -> None:
    """Rule 13.8: every other address of every service is closed to them."""

    def routes(router: Any) -> Iterator[Any]:
        for route in router.routes:
            included = getattr(route, "original_router", None)
            yield from routes(included) if included is not None else (route,)

    def marked(router: APIRouter) -> set[str]:
        return {
            f"{sorted(route.methods)[0]} {route.path.removeprefix('/companies/{company}')}"
            for route in routes(router)
            if getattr(route.endpoint, "for_debtors", False)
        }

    assert sum(1 for one in (sync, ledger, dunning, notify, reporting) for _ in routes(one)) > 150
    assert [marked(one) for one in (sync, dunning, reporting)] == [set(), set(), set()]
    assert marked(ledger) == {
        "GET /debtor/statement",
        "GET /debtor/documents/{document_id}",
        "POST /debtor/promise",
        "POST /debtor/dispute",
    }
    assert marked(notify) == {"GET /debtor/payments", "POST /debtor/pay"}
