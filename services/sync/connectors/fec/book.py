"""What must hold over the lines of a book: balance, order, sub-accounts on third parties only."""

from dataclasses import dataclass, field

from services.sync.domain.lines import UNITS
from services.sync.domain.problems import KEPT_PROBLEMS, Findings

TOLERANCE = UNITS // 200
"""Half a cent."""


@dataclass
class _Journal:
    day: str = ""
    number: str = ""
    went_back: bool = False
    breaks: list[tuple[int, str, str, str]] = field(default_factory=list)
    more_breaks: int = 0


@dataclass
class BookChecks:
    """Fed with every sound line in the order of the file; concludes at the end.

    Only entries that do not balance yet are kept, so memory follows the disorder of a file, not its size.
    """

    findings: Findings
    customers: tuple[str, ...]
    _unbalanced: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    _damaged: set[tuple[str, str]] = field(default_factory=set)
    _journals: dict[str, _Journal] = field(default_factory=dict)
    _others: int = 0
    _others_with_client: int = 0
    _misplaced: list[tuple[int, str, str]] = field(default_factory=list)

    def entry(self, line: int, key: tuple[str, str, str], total: int) -> None:
        """Some consecutive lines of one (journal, number, date), the first at ``line``; ``total`` is their debits
        minus credits in units."""
        if not line:
            return
        self._advance(line, *key)
        if total or key in self._unbalanced:
            former, first = self._unbalanced.pop(key, (0, line))
            if former + total:
                self._unbalanced[key] = (former + total, first)

    def _advance(self, line: int, journal: str, number: str, day: str) -> None:
        state = self._journals.get(journal)
        if state is None:
            state = self._journals[journal] = _Journal()
        if day < state.day:
            if len(state.breaks) < KEPT_PROBLEMS:
                state.breaks.append((line, number, day, state.day))
            else:
                state.more_breaks += 1
        if number != state.number:
            if (len(number), number) < (len(state.number), state.number):
                state.went_back = True
            state.number = number
        state.day = day

    def set_aside(self, journal: str, number: str) -> None:
        """A line of this entry could not be read, so its balance says nothing. The journal may be unknown."""
        self._damaged.add((journal, number))

    def sub_account(self, line: int, account: str, client: str) -> None:
        """A line on an account that is no third party's (class 4) and no customer's."""
        self._others += 1
        if client:
            self._others_with_client += 1
            if len(self._misplaced) < KEPT_PROBLEMS:
                self._misplaced.append((line, account, client))

    def is_third_party(self, account: str) -> bool:
        return account.startswith("4") or account.startswith(self.customers)

    def conclude(self) -> None:
        """Say what does not hold, once the last line was seen."""
        self._conclude_balance()
        self._conclude_order()
        self._conclude_sub_accounts()

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
                self.findings.tolerable(
                    line,
                    "EcritureDate",
                    "chronology_broken",
                    journal=journal,
                    number=number,
                    date=day,
                    before=before,
                )
            self.findings.also_tolerable("chronology_broken", state.more_breaks)
        if shuffled:
            line, journal = min(shuffled)
            self.findings.remark(line, "EcritureNum", "lines_unordered", journal=journal)

    def _conclude_sub_accounts(self) -> None:
        """A sub-account on most ordinary lines is the software's habit; on a few it is a mistake."""
        if self._others_with_client * 2 > self._others:
            line, account, client = self._misplaced[0]
            self.findings.remark(
                line,
                "CompAuxNum",
                "sub_accounts_everywhere",
                account=account,
                client=client,
                lines=str(self._others_with_client),
            )
            return
        for line, account, client in self._misplaced:
            self.findings.tolerable(line, "CompAuxNum", "sub_account_misplaced", account=account, client=client)
        self.findings.also_tolerable("sub_account_misplaced", self._others_with_client - len(self._misplaced))
