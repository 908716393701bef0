"""Who wrote an answer: the client, or somebody of the company that keeps the others informed. Pure. Rule 22.33."""

from collections.abc import Collection


def is_of_own_people(sender: str, own: Collection[str], recipients: Collection[str]) -> bool:
    """Whether an answer came from the company's side: from an address of its own, or of the domain of one.

    Recipients of the message are never taken for it: two companies of a group share a domain, and so do a company
    and a client that both write by a public provider; for these only the company's very addresses count.
    """
    told = sender.strip().lower()
    written_to = {one.lower() for one in recipients}
    ours = {one.lower() for one in own if one}
    if told in written_to:
        return False
    if told in ours:
        return True
    return _domain(told) in {_domain(one) for one in ours} - {_domain(one) for one in written_to}


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
