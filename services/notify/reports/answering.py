"""Who wrote an answer: the client, or somebody of the company that keeps the others informed. Pure. Rule 22.33."""

from collections.abc import Collection

from services.notify.reports.public_providers import PUBLIC_PROVIDERS


def is_of_own_people(sender: str, own: Collection[str], recipients: Collection[str]) -> bool:
    """Whether an answer came from the company's side: from an address of its own, or of the domain of one.

    Recipients of the message are never taken for it: two companies of a group share a domain. Where the company
    writes by a public provider only its very addresses count: whoever else is there may be a client.
    """
    told = sender.strip().lower()
    written_to = {one.lower() for one in recipients}
    ours = {one.lower() for one in own if one}
    if told in written_to:
        return False
    if told in ours:
        return True
    shared = {_domain(one) for one in written_to} | PUBLIC_PROVIDERS
    return _domain(told) in {_domain(one) for one in ours} - shared


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
