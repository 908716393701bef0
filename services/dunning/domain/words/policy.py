"""The reasons that options of the policy bring: credits, tolerance, contacts, what may leave by itself."""

from datetime import timedelta

from services.dunning.domain import exclusions, verdicts
from services.dunning.domain.case import Case
from services.dunning.domain.tolerance import late_total, tolerance_of
from services.dunning.domain.verdicts import Excluded
from services.dunning.domain.wording import Days, Facts
from services.dunning.domain.words.telling import Words


def _balance(case: Case) -> Facts:
    """Of all its open lines; those that are left out until they are due do not count (rule 7.5)."""
    policy, as_of = case.seen.policy, case.seen.as_of
    left_out = policy.upcoming_credits_excluded
    counted = [
        entry.book_amount
        for entry in case.seen.client.entries
        if not (left_out and entry.amount < 0 and entry.due_date >= as_of)
    ]
    return {"balance": case.booked(sum(counted))}


def _due_date(case: Case) -> Facts:
    return {"due_date": case.entry.due_date}


def _tolerance_days(case: Case) -> Facts:
    tolerance = tolerance_of(case.seen.client, case.seen.policy)
    return {"days": Days(tolerance.days), "on": tolerance.over_on(case.entry)}


def _tolerance_amount(case: Case) -> Facts:
    tolerance = tolerance_of(case.seen.client, case.seen.policy)
    late = late_total(case.seen.client, tolerance, case.seen.as_of, set())
    return {"late": case.booked(late), "tolerance": case.booked(tolerance.amount or 0)}


def _contact(case: Case) -> Facts:
    until = case.verdict.until if isinstance(case.verdict, Excluded) else None
    gap = case.seen.policy.contact_gap_days
    return {"on": until and until - timedelta(days=gap), "until": until, "days": Days(gap)}


def _synced(case: Case) -> Facts:
    return {"on": case.seen.client.synced_on}


ALL = (
    Words(
        exclusions.CREDITOR_CLIENT,
        "8.7",
        (
            (
                "The client's account is in credit: its balance is {balance}.",
                "Le compte du client est créditeur : son solde est de {balance}.",
            ),
            ("The client's account is in credit.", "Le compte du client est créditeur."),
        ),
        _balance,
    ),
    Words(
        exclusions.CREDIT_NOT_DUE,
        "7.5",
        (
            (
                "This credit falls due on {due_date} only, and credits not yet due are left out here.",
                "Cet avoir n'est échu que le {due_date}, et les avoirs non échus sont exclus ici.",
            ),
            (
                "This credit is not yet due, and such credits are left out here.",
                "Cet avoir n'est pas échu, et les avoirs non échus sont exclus ici.",
            ),
        ),
        _due_date,
    ),
    Words(
        exclusions.WITHIN_TOLERANCE_DAYS,
        "22.26",
        (
            (
                "A delay of {days} after the due date is tolerated: until the eve of {on}.",
                "Un retard de {days} après l'échéance est toléré : jusqu'à la veille du {on}.",
            ),
            (
                "The days of tolerance after its due date are not over.",
                "Les jours de tolérance après son échéance ne sont pas écoulés.",
            ),
        ),
        _tolerance_days,
    ),
    Words(
        exclusions.WITHIN_TOLERANCE_AMOUNT,
        "22.26",
        (
            (
                "The client owes {late} late, within the tolerance of {tolerance}.",
                "Le client doit {late} en retard : c'est dans la tolérance de {tolerance}.",
            ),
            (
                "What the client owes late is within the tolerance.",
                "Ce que le client doit en retard reste dans la tolérance.",
            ),
        ),
        _tolerance_amount,
    ),
    Words(
        exclusions.CONTACTED_RECENTLY,
        "22.7",
        (
            (
                "The client was contacted on {on}, and {days} lie between two contacts: put off until {until}.",
                "Le client a été contacté le {on}, et {days} séparent deux contacts : reporté au {until}.",
            ),
            (
                "The client was contacted a short time ago: put off until {until}.",
                "Le client a été contacté il y a peu : reporté au {until}.",
            ),
            ("The client was contacted a short time ago.", "Le client a été contacté il y a peu."),
        ),
        _contact,
    ),
    Words(
        exclusions.STALE_DATA,
        "2.6",
        (
            (
                "Accounting was last read on {on}: nothing leaves by itself until it is read again.",
                "La comptabilité a été lue pour la dernière fois le {on} : rien ne part seul d'ici la prochaine.",
            ),
            (
                "Accounting was not read lately: nothing leaves by itself until it is.",
                "La comptabilité n'a pas été lue récemment : rien ne part seul avant qu'elle le soit.",
            ),
        ),
        _synced,
    ),
    Words(
        verdicts.NEVER_REMINDED,
        "22.27",
        (("This client is never reminded.", "Ce client n'est jamais relancé."),),
    ),
)
