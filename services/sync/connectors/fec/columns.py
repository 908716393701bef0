"""The columns of a FEC: their legal names and order, the variants met, what each line must have."""

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise

from services.sync.domain.problems import Findings

LEGAL = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum",
    "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet",
    "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
WITH_SENS = {"Montant": "Debit", "Sens": "Credit"}
"""The pair that the law allows in place of Debit and Credit."""

ESSENTIAL = frozenset({"JournalCode", "EcritureDate", "CompteNum", "EcritureLet"})
"""Without these a line has no identity, or every paid invoice would look unpaid."""
IDENTIFYING = ("EcritureNum", "PieceRef", "EcritureLib")
"""One of these is needed to tell a line from the next."""

_VARIANTS = {
    "iddevise": "Idevise",
    "devise": "Idevise",
    "montantendevise": "Montantdevise",
    "ecrituredatelet": "DateLet",
    "echeancedate": "EcheanceDate",
    "dateecheance": "EcheanceDate",
    "echeance": "EcheanceDate",
}
_KNOWN = {name.lower(): name for name in (*LEGAL, *WITH_SENS)} | _VARIANTS


@dataclass(frozen=True)
class Columns:
    """Where each known column stands. ``names`` are the header's own, for messages."""

    names: tuple[str, ...]
    at: dict[str, int] = field(default_factory=dict)

    @property
    def has_sens(self) -> bool:
        return "Montant" in self.at and "Debit" not in self.at

    def named(self, index: int) -> str:
        """Name of the column at a place; the last one's for a field beyond the header."""
        return self.names[min(index, len(self.names) - 1)]

    def missing(self) -> list[str]:
        """Legal columns that the header lacks, in legal order."""
        pair = {amount: sens for sens, amount in WITH_SENS.items()}
        return [
            pair.get(name, name) if self.has_sens else name
            for name in LEGAL
            if name not in self.at and pair.get(name, "") not in self.at
        ]


def folded(name: str) -> str:
    """A column name without case, accents, spaces and punctuation."""
    plain = unicodedata.normalize("NFKD", name)
    return re.sub(r"[^a-z0-9]", "", plain.encode("ascii", "ignore").decode().lower())


def known(name: str) -> str | None:
    """The legal name behind a variant of writing, or None."""
    return _KNOWN.get(folded(name))


def parse_header(fields: list[str], findings: Findings) -> tuple[Columns, bool]:
    """Find the known columns; say which are doubled, out of order or missing. The second answer is whether each
    name can be trusted to stand over its own content."""
    names = [field.strip() for field in fields]
    while names and not names[-1]:
        names.pop()
    at: dict[str, int] = {}
    for index, name in enumerate(names):
        legal = known(name)
        if legal is None:
            continue
        if legal in at:
            findings.fatal(1, name, "column_twice", column=name)
        else:
            at[legal] = index
    columns = Columns(tuple(names) or ("",), at)
    in_order = _check_order(columns, findings)
    for name in columns.missing():
        if name in ESSENTIAL or name in ("Debit", "Credit", "Montant", "Sens"):
            findings.fatal(1, name, "column_missing", column=name)
        else:
            findings.remark(1, name, "optional_column_missing", column=name)
    if not any(name in at for name in IDENTIFYING):
        findings.fatal(1, IDENTIFYING[0], "column_missing", column=" / ".join(IDENTIFYING))
    return columns, in_order


def _check_order(columns: Columns, findings: Findings) -> bool:
    """Swapped names would silently turn invoices into payments, so the legal order is required."""
    place = {name: index for index, name in enumerate(LEGAL)} | {
        sens: LEGAL.index(amount) for sens, amount in WITH_SENS.items()
    }
    present = sorted((index, place[name], name) for name, index in columns.at.items() if name in place)
    for (_, before, former), (_, after, name) in pairwise(present):
        if after < before:
            findings.fatal(1, name, "columns_out_of_order", column=name, after=former)
            return False
    return True
