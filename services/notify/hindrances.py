"""What hinders the messages of one company, out of all that hinders this process."""

from collections.abc import Mapping

from services.notify.retention import RETENTION


def of_company(hindered_by: Mapping[str, str], company: str) -> dict[str, str]:
    """What all share, and what is this company's own (``mail server of acme``): which other companies there are,
    and how they fare, is not told to anybody of this one."""
    own = f" of {company}"
    return {
        part: sentence
        for part, sentence in hindered_by.items()
        if part != RETENTION and (" of " not in part or part.endswith(own))
    }
