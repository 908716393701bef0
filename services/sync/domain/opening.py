"""Balances brought forward: which entries of last year a line of the opening journal stands for.

The books of a new year begin with what was open at the end of the last one: a line for each open entry, or one
for each client, or one for all of them. Such a line is no new debt: the entries it stands for live on, and what
becomes of the line (its lettering) becomes of them.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """A line of the opening journal. ``amount`` is debit minus credit in ``currency``; ``client_id`` is the
    account itself where the line names no client."""

    line: int
    account: str
    client_id: str
    amount: Decimal
    currency: str
    piece: str
    dated: str
    lettering: str

    @property
    def names_no_client(self) -> bool:
        return self.client_id == self.account


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """An entry open at the end of last year. ``former`` is the lettering it was last given by the new year's book,
    None when that book did not carry it yet. ``released``: the new year's book did not carry it when it was read
    last, so it is gone for now."""

    entry_id: str
    account: str
    client_id: str
    amount: Decimal
    currency: str
    piece: str
    dated: str
    former: str | None
    released: bool = False


@dataclass(frozen=True, slots=True)
class Brought:
    """``stands_for`` gives the entries of a line; ``left`` are the entries that no line stands for, but for those
    released before; ``differing`` are the lines without client that stand for entries of another total, with that
    total."""

    stands_for: dict[int, tuple[OpenEntry, ...]]
    left: tuple[OpenEntry, ...]
    differing: tuple[tuple[OpeningLine, Decimal], ...]


Key = Callable[[OpeningLine | OpenEntry], Hashable]


def _lettering(one: OpeningLine | OpenEntry) -> str | None:
    return one.lettering if isinstance(one, OpeningLine) else one.former


def _of(one: OpeningLine | OpenEntry) -> tuple[str, str, str, Decimal]:
    return one.account, one.client_id, one.currency, one.amount


LIKENESS: tuple[Key, ...] = (
    lambda one: (_of(one), one.piece, one.dated, _lettering(one)),
    lambda one: (_of(one), one.piece, one.dated),
    lambda one: (_of(one), one.piece, _lettering(one)),
    lambda one: (_of(one), one.piece),
    lambda one: (_of(one), one.dated, _lettering(one)),
    lambda one: (_of(one), one.dated),
    lambda one: (_of(one), _lettering(one)),
    _of,
)
"""From the surest likeness to the weakest. The lettering given last comes first among equals, so that the same
file read again gives the same pairs."""


def bring_forward(lines: Iterable[OpeningLine], entries: Iterable[OpenEntry]) -> Brought:
    """Find for each line the entries it stands for: one entry of its amount, else together with the other lines of
    its side all that is left of its client, else, for a line without client, all that is left of its account.

    Entries that were released take part for lines that stand for nothing else, so that what an incomplete opening
    left out comes back as what it was."""
    entries = list(entries)
    stands_for: dict[int, tuple[OpenEntry, ...]] = {}
    lines_left = sorted(
        lines, key=lambda one: (one.piece, one.dated, one.lettering == "", one.lettering, one.line)
    )
    lines_left, left = _pair(lines_left, [one for one in entries if not one.released], stands_for)
    differing = _by_account(lines_left, left, stands_for)
    lines_left = [line for line in lines_left if line.line not in stands_for]
    if released := [one for one in entries if one.released]:
        _pair(lines_left, _without(left, stands_for) + released, stands_for)
    return Brought(stands_for, tuple(_without(left, stands_for)), tuple(differing))


def _pair(
    lines: Sequence[OpeningLine], entries: Iterable[OpenEntry], stands_for: dict[int, tuple[OpenEntry, ...]]
) -> tuple[list[OpeningLine], list[OpenEntry]]:
    """Fill ``stands_for`` line by line, then client by client; answers the lines and entries that are left."""
    lines_left = list(lines)
    entries_left = sorted(entries, key=lambda one: (one.piece, one.dated, one.entry_id))
    for key in LIKENESS:
        waiting: dict[Hashable, list[OpenEntry]] = defaultdict(list)
        for entry in reversed(entries_left):
            waiting[key(entry)].append(entry)
        for line in lines_left:
            if same := waiting[key(line)]:
                stands_for[line.line] = (same.pop(),)
        lines_left = [line for line in lines_left if line.line not in stands_for]
        entries_left = _without(entries_left, stands_for)
    _by_client(lines_left, entries_left, stands_for)
    lines_left = [line for line in lines_left if line.line not in stands_for]
    return lines_left, _without(entries_left, stands_for)


def _without(entries: Sequence[OpenEntry], stands_for: dict[int, tuple[OpenEntry, ...]]) -> list[OpenEntry]:
    taken = {entry.entry_id for some in stands_for.values() for entry in some}
    return [entry for entry in entries if entry.entry_id not in taken]


def _by_client(
    lines: Sequence[OpeningLine], entries: Sequence[OpenEntry], stands_for: dict[int, tuple[OpenEntry, ...]]
) -> None:
    """One line for a client's balance, or one for its debits and one for its credits."""
    of_client: dict[Hashable, tuple[list[OpeningLine], list[OpenEntry]]] = defaultdict(lambda: ([], []))
    for line in lines:
        of_client[line.account, line.client_id, line.currency][0].append(line)
    for entry in entries:
        of_client[entry.account, entry.client_id, entry.currency][1].append(entry)
    for some_lines, some_entries in of_client.values():
        if not some_entries:
            continue
        if len(some_lines) == 1 and some_lines[0].amount == sum(entry.amount for entry in some_entries):
            stands_for[some_lines[0].line] = tuple(some_entries)
            continue
        for is_debit in (True, False):
            of_side = [line for line in some_lines if (line.amount > 0) is is_debit]
            theirs = [entry for entry in some_entries if (entry.amount > 0) is is_debit]
            if len(of_side) == 1 and theirs and of_side[0].amount == sum(entry.amount for entry in theirs):
                stands_for[of_side[0].line] = tuple(theirs)


def _by_account(
    lines: Sequence[OpeningLine], entries: Sequence[OpenEntry], stands_for: dict[int, tuple[OpenEntry, ...]]
) -> list[tuple[OpeningLine, Decimal]]:
    """A line without client for a whole account: its clients' entries live on whatever it says, since a lump that
    nobody can be asked for must not take their place; that the totals differ is told."""
    differing = []
    for account in sorted({line.account for line in lines if line.names_no_client}):
        lumps = [line for line in lines if line.account == account and line.names_no_client]
        theirs = [entry for entry in entries if entry.account == account and entry.client_id != account]
        if not theirs:
            continue
        stands_for[lumps[0].line] = tuple(theirs)
        for lump in lumps[1:]:
            stands_for[lump.line] = ()
        total = sum((entry.amount for entry in theirs), Decimal(0))
        if total != sum(lump.amount for lump in lumps):
            differing.append((lumps[0], total))
    return differing
