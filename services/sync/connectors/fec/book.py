"""What must hold over the lines of a book: entries balance, journals run forward."""

from dataclasses import dataclass, field

from services.sync.domain.lines import UNITS
from services.sync.domain.problems import HABIT_FROM, Findings

TOLERANCE = UNITS // 200
"""Half a cent."""


@dataclass
class _Journal:
    day: str = ""
    number: str = ""
    went_back: bool = False
    times_broken: int = 0
    breaks: list[tuple[int, str, str, str]] = field(default_factory=list)


@dataclass
class BookChecks:
    """Fed with every sound line in the order of the file; concludes at the end.

    Only entries that do not balance yet are kept, so memory follows the disorder of a file, not its size.
    """

    findings: Findings
    _unbalanced: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    _damaged: set[tuple[str, str]] = field(default_factory=set)
    _journals: dict[str, _Journal] = field(default_factory=dict)

    def entry(self, line: int, key: tuple[str, str, str], total: int) -> None:
        """Some consecutive lines of one (journal, number, date), the first at ``line``; ``total`` is their debits
        minus credits in units."""
        if not line:
            return
        self._advance(line, *key)
        if total or self._unbalanced:
            former, first = self._unbalanced.pop(key, (0, line))
            if former + total:
                self._unbalanced[key] = (former + total, first)

    def _advance(self, line: int, journal: str, number: str, day: str) -> None:
        state = self._journals.get(journal)
        if state is None:
            state = self._journals[journal] = _Journal()
        if day < state.day and number.strip("0"):
            state.times_broken += 1
            if state.times_broken <= HABIT_FROM:
                state.breaks.append((line, number, day, state.day))
        if number != state.number:
            if (len(number), number) < (len(state.number), state.number):
                state.went_back = True
            state.number = number
        state.day = day

    def set_aside(self, journal: str, number: str) -> None:
        """A line of this entry could not be read, so its balance says nothing. The journal may be unknown."""
        self._damaged.add((journal, number))

    def conclude(self) -> None:
        """Say what does not hold, once the last line was seen."""
        self._conclude_balance()
        self._conclude_order()

    def _conclude_balance(self) -> None:
        """An entry balances by journal, number and date, or at least by journal and number: some software dates
        the lines of one entry differently, or numbers all of them 0."""
        by_number: dict[tuple[str, str], int] = {}
        for (journal, number, _), (units, _) in self._unbalanced.items():
            by_number[journal, number] = by_number.get((journal, number), 0) + units
        for (journal, number, day), (units, first) in self._unbalanced.items():
            known = (journal, number)
            if abs(units) <= TOLERANCE or abs(by_number[known]) <= TOLERANCE:
                continue
            if known in self._damaged or ("", number) in self._damaged:
                continue
            self.findings.tolerable(
                first,
                "Debit" if units > 0 else "Credit",
                "entry_unbalanced",
                journal=journal,
                number=number,
                date=day,
                difference=f"{units / UNITS:.2f}",
            )

    def _conclude_order(self) -> None:
        """Dates must not go back while the numbers go forward. Where the numbers go back too, the lines are not in
        the order of the book, and nothing can be told."""
        shuffled: list[tuple[int, str]] = []
        for journal, state in self._journals.items():
            if state.breaks and state.went_back:
                shuffled.append((state.breaks[0][0], journal))
                continue
            for line, number, day, before in state.breaks:
                self.findings.form(
                    line,
                    "EcritureDate",
                    "chronology_broken",
                    journal=journal,
                    number=number,
                    date=day,
                    before=before,
                )
            self.findings.more_of_form("chronology_broken", state.times_broken - len(state.breaks))
        if shuffled:
            line, journal = min(shuffled)
            self.findings.remark(line, "EcritureNum", "lines_unordered", journal=journal)
