"""What hinders the messages of one company, out of all that hinders this process."""

from collections.abc import Mapping

from services.notify.lanes import MAIL_SERVER
from services.notify.retention import RETENTION


def of_company(hindered_by: Mapping[str, str], company: str, *, own_server: bool) -> dict[str, str]:
    """What all share, and what is this company's own (``mail server of acme``): which other companies there are,
    and how they fare, is not told to anybody of this one. With an ``own_server`` no message of it leaves by the
    one that is shared, whose trouble is none of its."""
    own = f" of {company}"
    others = {RETENTION, MAIL_SERVER} if own_server else {RETENTION}
    return {
        part: sentence
        for part, sentence in hindered_by.items()
        if part not in others and (" of " not in part or part.endswith(own))
    }
