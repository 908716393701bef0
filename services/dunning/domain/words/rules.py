"""What else was applied to an entry, and what was looked at and does not hold it back."""

from collections.abc import Callable

from services.dunning.domain.case import Case
from services.dunning.domain.scenario import NOTICE, level_name
from services.dunning.domain.triggers import ONE_DAY, Pending
from services.dunning.domain.verdicts import Due, Excluded, NotDue
from services.dunning.domain.wording import Facts, Medium, StepName
from services.dunning.domain.words.telling import Words


def waits_for(case: Case) -> Pending | None:
    """The step of the account that the entry waits for, when it is not its own."""
    for grouped in case.seen.openly.grouped:
        for look, coming in grouped.waiting:
            if look.entry.entry_id == case.entry.entry_id:
                return coming
    return None


def in_account(case: Case) -> bool:
    """Reminders speak of the whole overdue account, and the entry is overdue (rules 6.2, 6.6)."""
    return case.seen.policy.mode == "account" and case.entry.due_date < case.seen.as_of


def own_step(case: Case) -> bool:
    """The verdict is about the step and day that the entry came to by itself."""
    verdict, found = case.verdict, case.found
    if found is None or waits_for(case) is not None:
        return False
    if isinstance(verdict, NotDue):
        return (verdict.step, verdict.until) == (found.step.name, found.on)
    return isinstance(verdict, Due | Excluded) and verdict.step == found.step.name


def _scenario(with_email: bool) -> Callable[[Case], Facts | None]:
    def facts(case: Case) -> Facts | None:
        seen = case.seen
        if seen.openly.plan is None or seen.scenario is None or seen.client.has_email is not with_email:
            return None
        return {"profile": seen.profile, "version": seen.scenario.version}

    return facts


def _level(case: Case) -> Facts | None:
    level = level_name(case.entry.level)
    return None if level is None else {"level": StepName(level), "on": case.entry.reminded_on}


def _noticed(case: Case) -> Facts | None:
    return None if case.entry.noticed_on is None else {"on": case.entry.noticed_on}


def _credit(case: Case) -> Facts | None:
    return {"amount": case.money(case.entry.amount)} if case.entry.amount < 0 else None


def _credit_goes_on(case: Case) -> Facts | None:
    for move in case.seen.openly.decision.moves:
        if move.entry_id == case.entry.entry_id:
            return {"level": StepName(level_name(move.level_after) or NOTICE)}
    return None


def _account(case: Case) -> Facts | None:
    if case.draft is None or not in_account(case):
        return None
    return {"step": StepName(case.draft.step.name), "entries": len(case.draft.members)}


def _account_waits(case: Case) -> Facts | None:
    coming = waits_for(case)
    if coming is None or case.seen.as_of in (case.entry.reminded_on, case.entry.noticed_on):
        return None
    return {"step": StepName(coming.step.name), "on": coming.on}


def _account_tomorrow(case: Case) -> Facts | None:
    coming = waits_for(case)
    if coming is None or case.seen.as_of not in (case.entry.reminded_on, case.entry.noticed_on):
        return None
    return {"on": coming.on}


def _not_in_account_yet(case: Case) -> Facts | None:
    verdict = case.verdict
    if case.seen.policy.mode != "account" or case.entry.due_date < case.seen.as_of:
        return None
    if case.found is None or case.found.on > case.seen.as_of or not isinstance(verdict, NotDue):
        return None
    return {"due_date": case.entry.due_date, "on": case.entry.due_date + ONE_DAY}


def _message(case: Case) -> Facts | None:
    if case.draft is None or in_account(case) or len(case.draft.members) < 2:
        return None
    return {"step": StepName(case.draft.step.name), "entries": len(case.draft.members)}


def _credits_of_message(case: Case, deducted: bool) -> Facts | None:
    drawn = case.draft
    if drawn is None or (case.seen.policy.netting != "none") is not deducted:
        return None
    credits_ = -sum(member.entry.amount for member in drawn.members if member.entry.amount < 0)
    if not credits_:
        return None
    return {
        "debits": case.money(drawn.amount),
        "credits": case.money(credits_),
        "net": case.money(drawn.net_amount),
    }


def _deducted(case: Case) -> Facts | None:
    return _credits_of_message(case, deducted=True)


def _listed(case: Case) -> Facts | None:
    return _credits_of_message(case, deducted=False)


def _not_proposed_yet(case: Case) -> Facts | None:
    return {} if isinstance(case.verdict, Due) and case.action is None else None


def _medium(case: Case) -> Facts | None:
    if case.action is not None:
        return {"step": StepName(case.action.step), "medium": Medium(case.action.medium)}
    if case.draft is not None:
        return {"step": StepName(case.draft.step.name), "medium": Medium(case.draft.step.medium)}
    return None


ALL = (
    Words(
        "scenario_with_email",
        "4.2",
        (
            (
                "The scenario of the profile {profile}, version {version}, for clients with an e-mail address.",
                "Scénario du profil {profile}, version {version}, pour les clients avec e-mail.",
            ),
        ),
        _scenario(with_email=True),
    ),
    Words(
        "scenario_without_email",
        "4.2",
        (
            (
                "The scenario of the profile {profile}, version {version}, for clients without an e-mail address.",
                "Scénario du profil {profile}, version {version}, pour les clients sans e-mail.",
            ),
        ),
        _scenario(with_email=False),
    ),
    Words(
        "level_reached",
        "5.3",
        (
            ("{level} was reached on {on}.", "Le niveau {level} a été atteint le {on}."),
            ("Its level is {level}.", "Son niveau est {level}."),
        ),
        _level,
    ),
    Words(
        "noticed",
        "5.4",
        (("The advance notice was made on {on}.", "La prévenance a été faite le {on}."),),
        _noticed,
    ),
    Words(
        "credit",
        "7.3",
        (
            (
                "It is a credit of {amount}: it walks the same steps as debits, from its own due date.",
                "C'est un avoir ou un règlement de {amount} : il suit les mêmes étapes, depuis son échéance.",
            ),
        ),
        _credit,
    ),
    Words(
        "credit_goes_on",
        "22.14",
        (
            (
                "No debit of the client comes to its step: it goes on to {level} without a message.",
                "Aucun débit du client n'est à cette étape : il passe à {level} sans message.",
            ),
        ),
        _credit_goes_on,
    ),
    Words(
        "not_proposed_yet",
        "22.11",
        (
            (
                "No action holds it yet: the next round of decisions makes one.",
                "Aucune action ne la contient encore : la prochaine sélection du jour la créera.",
            ),
        ),
        _not_proposed_yet,
    ),
    Words(
        "medium",
        "4.5",
        (("{step} goes by {medium}.", "Média de l'étape {step} : {medium}."),),
        _medium,
    ),
    Words(
        "account",
        "6.2",
        (
            (
                "Reminders speak of the whole overdue account: it stands in {step} with {entries} entries in all.",
                "Relance à la situation de compte : elle figure dans {step}, avec {entries} écritures en tout.",
            ),
        ),
        _account,
    ),
    Words(
        "account_waits",
        "6.5",
        (
            (
                "Reminders speak of the whole overdue account, whose highest level comes to {step} on {on}.",
                "Relance à la situation de compte : le niveau le plus haut du compte arrive à {step} le {on}.",
            ),
        ),
        _account_waits,
    ),
    Words(
        "account_tomorrow",
        "22.11",
        (
            (
                "It was reminded today; never two steps of one entry on the same day: {on} at the earliest.",
                "Elle a été relancée ce jour ; jamais deux étapes le même jour : pas avant le {on}.",
            ),
        ),
        _account_tomorrow,
    ),
    Words(
        "not_in_account_yet",
        "6.6",
        (
            (
                "It falls due on {due_date}; the message of the account holds overdue entries only.",
                "Son échéance est le {due_date} ; la relance du compte ne contient que les écritures en retard.",
            ),
        ),
        _not_in_account_yet,
    ),
    Words(
        "message",
        "6.1",
        (
            (
                "{step} speaks of {entries} entries in one message.",
                "{step} regroupe {entries} écritures dans un même message.",
            ),
        ),
        _message,
    ),
    Words(
        "credits_deducted",
        "7.6",
        (
            (
                "The message deducts credits: {debits} less {credits} is {net}.",
                "Le message déduit les avoirs et règlements : {debits} moins {credits} font {net}.",
            ),
        ),
        _deducted,
    ),
    Words(
        "credits_listed",
        "7.2",
        (
            (
                "The message lists credits of {credits} and asks for {net} all the same.",
                "Le message montre {credits} d'avoirs et règlements sans les déduire, et demande {net}.",
            ),
        ),
        _listed,
    ),
)
