"""A decision that shows what it was made of."""

from collections.abc import Mapping
from typing import NamedTuple

from services.dunning.domain.grouping import Grouped
from services.dunning.domain.looks import Look
from services.dunning.domain.scenario import Plan
from services.dunning.domain.verdicts import Decision


class Openly(NamedTuple):
    """A decision together with what it was made of: the look at each entry, the messages drawn, and the reasons
    that lie in the client, for notices and for reminders.
    """

    decision: Decision
    plan: Plan | None
    looks: Mapping[str, Look]
    stop: tuple[str, ...]
    against: tuple[str, ...]
    against_reminders: tuple[str, ...]
    grouped: tuple[Grouped, ...]
