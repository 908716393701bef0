"""What is wrong with a file: collected whole, judged at the end.

- A *fatal* problem makes the file unreadable or a customer line doubtful: the import is refused.
- A *tolerable* one leaves every customer line readable. The import is refused all the same when such problems
  touch more than one line in fifty: a book with that many defects is not to be trusted.
- A defect of *form* concerns the book only, not what customers owe. It is tolerable; met twenty times in a file
  it is no mistake any more but how the software works, and is told once.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

KEPT_PROBLEMS = 1_000
TOLERATED_SHARE = 0.02
HABIT_FROM = 20
LONGEST_SHOWN = 40
MOST_DIGITS = 8
"""A value of more digits may be a phone number."""
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


def shown(value: str) -> str:
    """What a problem tells of a value: a date or an amount as it is; of anything else its form, letters as x and
    digits as 9. In a column taken for another one stand names and addresses, and problems are kept for long."""
    value = value.strip()
    if _LETTER.search(value) or len(_DIGIT.findall(value)) > MOST_DIGITS:
        value = _DIGIT.sub("9", _LETTER.sub("x", value))
    return value[:LONGEST_SHOWN]


@dataclass(frozen=True, slots=True)
class Problem:
    """One defect. ``line`` counts from 1, the header included; ``details`` fill the wording of ``code``."""

    line: int
    column: str
    code: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``errors`` refuse the file, ``warnings`` do not. ``uncounted`` counts, per code, those not kept."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    uncounted: dict[str, int]

    @property
    def refused(self) -> bool:
        return bool(self.errors)


class Findings:
    """Collects problems; keeps the first thousand of each kind and counts the rest."""

    def __init__(self, accepted: frozenset[str] = frozenset()) -> None:
        self._accepted = accepted
        self._fatal: list[Problem] = []
        self._tolerable: list[Problem] = []
        self._remarks: list[Problem] = []
        self._forms: Counter[str] = Counter()
        self._of_form: dict[str, list[Problem]] = {}
        self._more: Counter[str] = Counter()
        self._touched = 0
        self._is_fatal = False

    @property
    def is_fatal(self) -> bool:
        """The file is refused whatever follows."""
        return self._is_fatal

    def fatal(self, line: int, column: str, code: str, /, **details: str) -> None:
        """The file cannot be imported."""
        self._is_fatal = True
        self._keep(self._fatal, Problem(line, column, code, details))

    def tolerable(self, line: int, column: str, code: str, /, **details: str) -> None:
        """The customer lines are sound; one such defect counts as one line touched."""
        if code in self._accepted:
            self.remark(line, column, code, **details)
            return
        self._touched += 1
        self._keep(self._tolerable, Problem(line, column, code, details))

    def form(self, line: int, column: str, code: str, /, **details: str) -> None:
        """A defect of the book that changes nothing for customers."""
        self._forms[code] += 1
        if self._forms[code] <= HABIT_FROM:
            self._of_form.setdefault(code, []).append(Problem(line, column, code, details))

    def more_of_form(self, code: str, times: int) -> None:
        """As many more of a kind that was told often enough."""
        self._forms[code] += times

    def remark(self, line: int, column: str, code: str, /, **details: str) -> None:
        """Worth knowing, never a reason to refuse."""
        self._keep(self._remarks, Problem(line, column, code, details))

    def _keep(self, kept: list[Problem], problem: Problem) -> None:
        if len(kept) < KEPT_PROBLEMS:
            kept.append(problem)
        else:
            self._more[problem.code] += 1

    def judge(self, lines: int) -> Verdict:
        """Errors and warnings of a file of ``lines`` lines, in the order of the lines."""
        habits, mistakes = self._judge_form()
        tolerable = self._tolerable + mistakes
        too_many = self._touched + len(mistakes) > lines * TOLERATED_SHARE
        errors = self._fatal + (tolerable if too_many else [])
        warnings = self._remarks + habits + ([] if too_many else tolerable)

        def place(problem: Problem) -> tuple[int, str]:
            return problem.line, problem.code

        return Verdict(
            tuple(sorted(errors, key=place)[:KEPT_PROBLEMS]),
            tuple(sorted(warnings, key=place)[:KEPT_PROBLEMS]),
            dict(self._more),
        )

    def _judge_form(self) -> tuple[list[Problem], list[Problem]]:
        """Habits and accepted defects, told once each; and mistakes."""
        habits: list[Problem] = []
        mistakes: list[Problem] = []
        for code, problems in self._of_form.items():
            count = self._forms[code]
            if count >= HABIT_FROM or code in self._accepted:
                first = min(problems, key=lambda problem: problem.line)
                habits.append(replace(first, details={**first.details, "habit": str(count)}))
            else:
                mistakes += problems
        return habits, mistakes
