"""People on their way to ledger: as many at a time as it takes, a client's contacts together."""

import pytest

from services.sync import people


@pytest.mark.parametrize(
    ("contacts", "calls"),
    [
        ([], []),
        ([0, 0], [2]),
        ([3, 2], [2]),
        ([3, 3], [1, 1]),
        ([5, 0, 1], [2, 1]),
        ([1, 1, 1, 1, 1, 1], [5, 1]),
    ],
)
def test_no_call_holds_more_contacts_than_ledger_takes(
    contacts: list[int], calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "CONTACTS_PER_CALL", 5)
    told = {f"C{n}": [{"key": f"{k}"} for k in range(count)] for n, count in enumerate(contacts)}
    parts = list(people.in_calls(told))
    assert [len(part["client_ids"]) for part in parts] == calls
    assert [client for part in parts for client in part["client_ids"]] == list(told)
    assert sum(len(part["contacts"]) for part in parts) == sum(contacts)
