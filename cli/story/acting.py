"""A person acts by criteria in a story (rule 9.8)."""

from datetime import date
from uuid import NAMESPACE_OID, UUID, uuid5

from cli.story.format import Act
from cli.story.state import Telling
from contracts import dunning
from services.dunning.domain import policy as policies
from services.dunning.domain.by_criteria import Candidate, candidates
from services.dunning.domain.by_hand import Composed, compose
from services.dunning.domain.scenario import level_name


class NobodyFits(Exception):
    """Names of ``include`` that the criteria do not find, or that no person may tick back."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{', '.join(names)}: not found by these criteria, or nobody may tick them back")


def act(telling: Telling, on: date, wanted: Act) -> list[UUID]:
    """Say an action to every client that fits and is ticked; their ids, in the order of the story's clients.

    Raises ``NobodyFits``.
    """
    alike = [client for client in telling.books if _is_like(telling, client, wanted)]
    found = [one for client in alike for one in _of(telling, client, on, wanted)]
    chosen = [one for one in found if not one.reasons or (one.client_id in wanted.include and one.can_include)]
    missing = sorted(set(wanted.include) - {one.client_id for one in chosen})
    if missing:
        raise NobodyFits(missing)
    return [_say(telling, on, wanted, one) for one in chosen]


def _of(telling: Telling, client: str, on: date, wanted: Act) -> list[Candidate]:
    state = telling.books[client].state()
    policy = policies.load(telling.policy)
    scenario = telling.scenarios.get(state.profile or policy.default_profile)
    return [one for one in candidates(state, policy, scenario, on, wanted.medium) if _fits(one, on, wanted)]


def _is_like(telling: Telling, client: str, wanted: Act) -> bool:
    book, told = telling.books[client], telling.story.clients[client]
    modes = {line.payment_mode or book.payment_mode for line in book.lines.values() if not line.lettering}
    return (
        wanted.profile in (None, book.profile or telling.policy.default_profile)
        and wanted.category in (None, told.category)
        and wanted.salesperson in (None, told.salesperson)
        and wanted.has_email in (None, book.has_email)
        and (wanted.payment_mode is None or wanted.payment_mode in modes)
    )


def _fits(one: Candidate, on: date, wanted: Act) -> bool:
    since = None if one.reminded_on is None else (on - one.reminded_on).days
    least, most = wanted.days_since_reminder_from, wanted.days_since_reminder_to
    return (
        wanted.level in (None, level_name(one.level) or "none")
        and (wanted.days_late_from or 0) <= one.days_late
        and (wanted.days_late_to is None or one.days_late <= wanted.days_late_to)
        and (least is None or since is None or since >= least)
        and (most is None or (since is not None and since <= most))
    )


def _say(telling: Telling, on: date, wanted: Act, one: Candidate) -> UUID:
    """As dunning does: the action is named by the wish for it, and its entries pass to their next step."""
    state = telling.books[one.client_id].state()
    policy = policies.load(telling.policy)
    scenario = telling.scenarios.get(state.profile or policy.default_profile)
    wish = uuid5(NAMESPACE_OID, f"act {one.client_id} {one.currency} {on}")
    composed = Composed(
        wish, one.entries, "reminder", wanted.medium, wanted.template, counts=wanted.counts, by_criteria=True
    )
    action = compose(state, policy, scenario, on, composed).action
    telling.actions[action.action_id] = action
    telling.opened_on[action.action_id] = on
    telling.say(one.client_id, dunning.ActionDue(action=action), on)
    return action.action_id
