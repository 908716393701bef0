"""Looking at a client's awake lines alone, where the rules let the others sleep.

With messages per step (rule 6.1) a line stands in no message and holds nobody back until its step comes, nor while
reasons of its own exclude it. So it sleeps, until a day or a fact of its own. Of the lines that sleep only what
they come to counts, for the balance of the account (rule 8.7). Where more may count, all lines are looked at.
"""

from datetime import date

from services.dunning.domain.decision import decide_openly
from services.dunning.domain.policy import Policy
from services.dunning.domain.scenario import Scenario
from services.dunning.domain.state import ClientState
from services.dunning.domain.tolerance import tolerance_of
from services.dunning.domain.verdicts import Decision


def allowed_by(policy: Policy) -> bool:
    """Messages of whole accounts, and sums over credits or due dates, need every line (rules 6.2, 7.2, 7.5)."""
    return policy.mode == "item" and policy.netting != "account" and not policy.upcoming_credits_excluded


def may_rest(client: ClientState, policy: Policy) -> bool:
    """Whether the lines that a decision leaves asleep may be left out of the next look. A tolerated amount is
    compared with all that is late (rule 22.26).
    """
    return allowed_by(policy) and tolerance_of(client, policy).amount is None


def decide_narrowly(
    awake: ClientState, policy: Policy, scenario: Scenario | None, as_of: date, since: date | None = None
) -> Decision | None:
    """What ``decide`` would say of the lines that are awake, were all there; ``None`` where all are needed.

    The decision's verdicts are of the lines that are awake; its ``next_on`` is of those that rest as well.
    """
    if tolerance_of(awake, policy).amount is not None:
        return None
    openly = decide_openly(awake, policy, scenario, as_of, since)
    for against in awake.resting.against:
        if against.symmetric_difference(openly.against):
            return None  # something began or ended that speaks against the whole client
    for grouped in openly.grouped:
        # credits by themselves wait for the step of a debit, which may be asleep (rule 22.14)
        if grouped.alone or 0 in [drawn.amount for drawn in grouped.drafts]:
            return None
    decision, until = openly.decision, awake.resting.until
    if until is not None and (decision.next_on is None or until < decision.next_on):
        decision = decision._replace(next_on=until)
    return decision
