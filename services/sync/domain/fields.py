"""Free fields of entries and clients (rules 19.4, 22.6), and the codes of sales people.

What a field holds may be personal: it passes through to ledger, only digests of it stay in sync.
"""

from collections.abc import Iterable
from json.encoder import encode_basestring
from unicodedata import normalize

from services.sync.domain.receivables import digest

LONGEST_VALUE = 500
CLIENT_FIELDS = tuple(f"tag{n}" for n in range(1, 11))
ENTRY_FIELDS = CLIENT_FIELDS[:3]
NONE_FILLED = "{}"
"""What a source tells of an entry none of whose fields it fills."""


def members(values: Iterable[tuple[str, str]]) -> str:
    """(field, value) as one JSON object, empty values left out."""
    held = ",".join(f'"{field}":{encode_basestring(value[:LONGEST_VALUE])}' for field, value in values if value)
    return f"{{{held}}}"


def salesperson_code(name: str) -> str:
    """The code of a sales person whom a source names without one: a name is personal, and a code stands in events.

    However the name is written (case, accents, blanks), its code is one.
    """
    plain = normalize("NFKD", name.casefold())
    letters = " ".join("".join(letter for letter in plain if letter.isalnum() or letter == " ").split())
    return f"n-{digest(letters)[:12]}" if letters else ""
