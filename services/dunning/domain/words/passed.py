"""What was looked at and does not hold an entry back: thresholds that are met, promises, disputes, stops over."""

from services.dunning.domain.case import Case
from services.dunning.domain.exclusions import promised_until, stop_is_over
from services.dunning.domain.wording import Actor, Facts
from services.dunning.domain.words.telling import Words


def _above_entry_minimum(case: Case) -> Facts | None:
    minimum = case.seen.policy.minimum_per_entry
    if minimum is None or case.entry.amount <= 0 or case.entry.book_amount < minimum:
        return None
    return {"amount": case.booked(case.entry.book_amount), "minimum": case.booked(minimum)}


def _within_thresholds(case: Case) -> Facts | None:
    policy, drawn = case.seen.policy, case.draft
    if drawn is None or drawn.reasons:
        return None
    minimum, maximum = policy.minimum_per_reminder, policy.maximum_per_reminder
    if minimum is None and maximum is None:
        return None
    return {
        "booked": case.booked(drawn.book_net_amount),
        "minimum": None if minimum is None else case.booked(minimum),
        "maximum": None if maximum is None else case.booked(maximum),
    }


def _promise_late(case: Case) -> Facts | None:
    first = case.entry.first_promise_on
    if first is None or first >= case.seen.as_of or not case.seen.policy.promises_exclude:
        return None
    return {"promised_on": first}


def _promise_today(case: Case) -> Facts | None:
    entry, as_of = case.entry, case.seen.as_of
    if entry.first_promise_on != as_of or promised_until(entry, as_of) or not case.seen.policy.promises_exclude:
        return None
    return {"promised_on": as_of}


def _promise_alone(case: Case) -> Facts | None:
    if case.entry.last_promise_on is None or case.seen.policy.promises_exclude:
        return None
    return {"promised_on": case.entry.last_promise_on}


def _dispute_alone(case: Case) -> Facts | None:
    disputed = case.entry.disputed or case.seen.client.disputed
    return {} if disputed and not case.seen.policy.disputes_exclude else None


def _client_stop_over(case: Case) -> Facts | None:
    client = case.seen.client
    if not client.stopped or not stop_is_over(client.resumes_on, case.seen.as_of):
        return None
    return {"on": client.resumes_on}


def _entry_stop_over(case: Case) -> Facts | None:
    entry = case.entry
    return {"on": entry.resumes_on} if entry.stopped and stop_is_over(entry.resumes_on, case.seen.as_of) else None


def _accepted(case: Case) -> Facts | None:
    """Ticked back: the reasons that a person set aside, and who did (rule 8.15)."""
    if case.action is None or not case.action.accepted_reasons:
        return None
    made = case.made
    return {
        "reasons": ", ".join(sorted(case.action.accepted_reasons)),
        "by": made and Actor(made.opened.by),
        "on": made and made.opened.on,
    }


ALL = (
    Words(
        "above_entry_minimum",
        "8.12",
        (
            (
                "Its amount, {amount}, reaches the threshold for one entry, {minimum}.",
                "Son montant, {amount}, atteint le seuil de relance à la pièce, {minimum}.",
            ),
        ),
        _above_entry_minimum,
    ),
    Words(
        "within_thresholds",
        "8.12",
        (
            (
                "The reminder asks for {booked}: between the minimum of {minimum} and the maximum of {maximum}.",
                "La relance demande {booked} : entre le seuil de {minimum} et le plafond de {maximum}.",
            ),
            (
                "The reminder asks for {booked}: not below the minimum of {minimum}.",
                "La relance demande {booked} : le seuil de {minimum} est atteint.",
            ),
            (
                "The reminder asks for {booked}: not above the maximum of {maximum}.",
                "La relance demande {booked} : le plafond de {maximum} n'est pas dépassé.",
            ),
        ),
        _within_thresholds,
    ),
    Words(
        "promise_late",
        "10.5",
        (
            (
                "The promise for {promised_on} is late: promises hold nothing back any more.",
                "La promesse du {promised_on} est en retard : les promesses ne retiennent plus la relance.",
            ),
        ),
        _promise_late,
    ),
    Words(
        "promise_reached",
        "10.5",
        (
            (
                "The day of the promise, {promised_on}, is reached: it holds nothing back.",
                "Le jour de la promesse, {promised_on}, est atteint : elle ne retient plus la relance.",
            ),
        ),
        _promise_today,
    ),
    Words(
        "promise_alone",
        "10.4",
        (
            (
                "Payment is promised for {promised_on}; promises do not stop reminders here.",
                "Un règlement est promis pour le {promised_on} ; ici, les promesses n'arrêtent pas les relances.",
            ),
        ),
        _promise_alone,
    ),
    Words(
        "dispute_alone",
        "8.10",
        (
            (
                "It is in dispute; a dispute alone stops no reminder.",
                "Elle est en litige ; un litige seul n'arrête pas les relances.",
            ),
        ),
        _dispute_alone,
    ),
    Words(
        "client_stop_over",
        "22.20",
        (
            (
                "The stop of the client ended on {on}.",
                "Le STOP du client a pris fin le {on}.",
            ),
        ),
        _client_stop_over,
    ),
    Words(
        "entry_stop_over",
        "22.20",
        (
            (
                "The stop of the entry ended on {on}.",
                "Le STOP de l'écriture a pris fin le {on}.",
            ),
        ),
        _entry_stop_over,
    ),
    Words(
        "ticked_back",
        "8.15",
        (
            (
                "A person ticked it back on {on}, setting aside: {reasons}.",
                "Un utilisateur l'a recochée le {on}, malgré : {reasons}.",
            ),
            ("A person ticked it back.", "Un utilisateur l'a recochée."),
        ),
        _accepted,
    ),
)
