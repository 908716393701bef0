"""The postal side of a letter: what stands in the window of the envelope, and the order of a pile of letters."""

import re
import unicodedata
from collections.abc import Sequence

from babel import Locale

MOST_LINES = 7
"""Six lines inside France and one for the country elsewhere (NF Z 10-011)."""

_CODE = re.compile(r"[A-Z]{2}")
_POSTCODE = re.compile(r"^(?:[A-Z]{1,2}[- ])?(\d{4,5})\b")
_HOME = frozenset({"", "france", "fr"})


def recipient_lines(name: str, address: Sequence[str]) -> list[str]:
    """The name and the lines of the address, none of them empty, no more than a window shows.

    What is too much shares lines in the middle: the name, the street and the town stay where a sorting machine
    looks for them.
    """
    lines = [line for line in (" ".join(one.split()) for one in (name, *address)) if line]
    while len(lines) > MOST_LINES:
        lines[1:3] = [f"{lines[1]}, {lines[2]}"]
    return lines


def spelled_out(address: Sequence[str]) -> tuple[str, ...]:
    """The address with its country's name where accounting has a code, in the language of the post that takes it,
    which is French."""
    lines = tuple(line for line in address if line.strip())
    if not lines or not _CODE.fullmatch(lines[-1].strip()):
        return lines
    name = Locale("fr").territories.get(lines[-1].strip())
    return lines if name is None else (*lines[:-1], name.upper())


def mailing_key(address: Sequence[str]) -> tuple[str, str, str, str]:
    """Country, postcode, town and the rest, by which letters are sorted for the post; France comes first.

    An address whose postcode is not found stands behind those of its country.
    """
    lines = [_folded(line) for line in address if line.strip()]
    for place in range(len(lines) - 1, -1, -1):
        if found := _POSTCODE.match(lines[place].upper()):
            town = lines[place][found.end() :].strip()
            country = "" if (after := " ".join(lines[place + 1 :])) in _HOME else after
            return country, found.group(1), town, " ".join(reversed(lines[:place]))
    return "", "~", lines[-1] if lines else "", " ".join(lines[:-1])


def _folded(text: str) -> str:
    """Lower case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(one for one in plain if not unicodedata.combining(one)).casefold().split())
