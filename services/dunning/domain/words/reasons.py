"""Why a step that is due is not carried out, why none comes, why an action was taken back.

Who adds a reason to the engine adds it here: code, rule, sentences from the fullest to the plain one, facts.
"""

from services.dunning.domain import by_criteria, exclusions, standing, thanks, verdicts
from services.dunning.domain.case import Case
from services.dunning.domain.exclusions import promised_until
from services.dunning.domain.scenario import level_name
from services.dunning.domain.wording import Actor, Facts, StepName
from services.dunning.domain.words.telling import Words


def _client_stop(case: Case) -> Facts:
    since = case.seen.memory.stop
    return {
        "since": since and since.on,
        "by": since and Actor(since.by),
        "until": case.seen.client.resumes_on,
    }


def _entry_stop(case: Case) -> Facts:
    since = case.seen.memory.entry_stops.get(case.entry.entry_id)
    return {"since": since and since.on, "by": since and Actor(since.by), "until": case.entry.resumes_on}


def _payment_mode(case: Case) -> Facts:
    """The entry's own, else the client's (rule 14.3)."""
    own = case.entry.payment_mode
    return {"entry_mode": own or None, "client_mode": None if own else case.seen.client.payment_mode}


def _entry_minimum(case: Case) -> Facts:
    minimum = case.seen.policy.minimum_per_entry
    return {
        "amount": case.booked(case.entry.book_amount),
        "minimum": None if minimum is None else case.booked(minimum),
    }


def _promise(case: Case) -> Facts:
    last = case.entry.last_promise_on
    made = [
        one
        for one in case.seen.memory.promises.values()
        if one.entry_id == case.entry.entry_id and one.promised_on == last
    ]
    return {
        "promised_on": last,
        "until": promised_until(case.entry, case.seen.as_of),
        "made_on": made[0].since.on if made else None,
        "by": Actor(made[0].since.by) if made else None,
    }


def _dispute(case: Case) -> Facts:
    open_ones = case.seen.memory.disputes.values()
    own = next((one for one in open_ones if one.entry_id == case.entry.entry_id), None)
    account = next((one for one in open_ones if one.entry_id is None), None)
    told = own or account
    return {
        "since": own and own.since.on,
        "account_since": None if own else account and account.since.on,
        "reason": told and told.reason,
        "by": told and Actor(told.since.by),
    }


def _totals(case: Case) -> Facts:
    """Of the message that it would stand in (rules 7.6, 8.13)."""
    drawn, policy = case.draft, case.seen.policy
    if drawn is None:
        return {}
    minimum, maximum = policy.minimum_per_reminder, policy.maximum_per_reminder
    return {
        "debits": case.money(drawn.amount),
        "net": case.money(drawn.net_amount),
        "booked": case.booked(drawn.book_net_amount),
        "minimum": None if minimum is None else case.booked(minimum),
        "maximum": None if maximum is None else case.booked(maximum),
    }


def _profile(case: Case) -> Facts:
    return {"profile": case.seen.profile}


def _variant(case: Case) -> Facts:
    facts = dict(_profile(case))
    facts["version"] = None if case.seen.scenario is None else case.seen.scenario.version
    facts["with_email" if case.seen.client.has_email else "without_email"] = case.seen.profile
    return facts


def _last_step(case: Case) -> Facts:
    level = level_name(case.entry.level)
    return {"level": StepName(level) if level else None, "on": case.entry.reminded_on}


ALL = (
    Words(
        exclusions.CLIENT_STOPPED,
        "8.1",
        (
            (
                "Reminders to the client are stopped since {since}, until {until}.",
                "Les relances du client sont stoppées depuis le {since}, jusqu'au {until}.",
            ),
            (
                "Reminders to the client are stopped since {since}.",
                "Les relances du client sont stoppées depuis le {since}.",
            ),
            (
                "Reminders to the client are stopped until {until}.",
                "Les relances du client sont stoppées jusqu'au {until}.",
            ),
            ("The client is not to be reminded.", "Le client n'est pas à relancer."),
        ),
        _client_stop,
    ),
    Words(
        exclusions.ENTRY_STOPPED,
        "8.2",
        (
            (
                "Reminders of this entry are stopped since {since}, until {until}.",
                "Les relances de cette écriture sont stoppées depuis le {since}, jusqu'au {until}.",
            ),
            (
                "Reminders of this entry are stopped since {since}.",
                "Les relances de cette écriture sont stoppées depuis le {since}.",
            ),
            (
                "Reminders of this entry are stopped until {until}.",
                "Les relances de cette écriture sont stoppées jusqu'au {until}.",
            ),
            ("This entry is not to be reminded.", "Cette écriture n'est pas à relancer."),
        ),
        _entry_stop,
    ),
    Words(
        exclusions.AUTOMATIC_PAYMENT_MODE,
        "8.3",
        (
            (
                "Its payment mode, {entry_mode}, collects the money by itself.",
                "Son mode de règlement, {entry_mode}, est automatique.",
            ),
            (
                "It has no payment mode; the client's, {client_mode}, collects the money by itself.",
                "Elle n'a pas de mode de règlement ; celui du client, {client_mode}, est automatique.",
            ),
            ("Its payment mode collects the money by itself.", "Son mode de règlement est automatique."),
        ),
        _payment_mode,
    ),
    Words(
        exclusions.BELOW_ENTRY_MINIMUM,
        "8.4",
        (
            (
                "Its amount, {amount}, is below the threshold for one entry, {minimum}.",
                "Son montant, {amount}, est sous le seuil de relance à la pièce, {minimum}.",
            ),
            (
                "Its amount is below the threshold for one entry.",
                "Son montant est sous le seuil de relance à la pièce.",
            ),
        ),
        _entry_minimum,
    ),
    Words(
        exclusions.PROMISE_AHEAD,
        "8.5",
        (
            (
                "Payment is promised for {promised_on} and the day is not reached.",
                "Un règlement est promis pour le {promised_on}, et ce jour n'est pas atteint.",
            ),
            ("Payment is promised and the day is not reached.", "Une promesse de règlement est à venir."),
        ),
        _promise,
    ),
    Words(
        exclusions.DISPUTED,
        "22.5",
        (
            (
                "It is in dispute since {since}, and disputes stop reminders here.",
                "Elle est en litige depuis le {since}, et les litiges arrêtent les relances.",
            ),
            (
                "The whole account is in dispute since {account_since}, and disputes stop reminders here.",
                "Tout le compte est en litige depuis le {account_since}, et les litiges arrêtent les relances.",
            ),
            (
                "It is in dispute, and disputes stop reminders here.",
                "Elle est en litige, et les litiges arrêtent les relances.",
            ),
        ),
        _dispute,
    ),
    Words(
        exclusions.PAID_ONLINE,
        "8.6",
        (("It was paid online and is not lettered yet.", "Elle est payée en ligne, pas encore lettrée."),),
    ),
    Words(
        exclusions.LETTERING_ERROR,
        "2.8",
        (
            (
                "Its lettering does not balance; accounting must be checked.",
                "Son lettrage n'est pas équilibré ; la comptabilité est à vérifier.",
            ),
        ),
    ),
    Words(
        exclusions.BELOW_MINIMUM,
        "8.8",
        (
            (
                "The reminder would ask for {booked}, below the minimum of {minimum}.",
                "La relance demanderait {booked}, sous le seuil de {minimum}.",
            ),
            (
                "The total of the reminder is below the minimum.",
                "Le total de la relance est sous le seuil.",
            ),
        ),
        _totals,
    ),
    Words(
        exclusions.ABOVE_MAXIMUM,
        "8.8",
        (
            (
                "The reminder would ask for {booked}, above the maximum of {maximum}.",
                "La relance demanderait {booked}, au-dessus du plafond de {maximum}.",
            ),
            (
                "The total of the reminder is above the maximum.",
                "Le total de la relance dépasse le plafond.",
            ),
        ),
        _totals,
    ),
    Words(
        exclusions.NET_NOT_POSITIVE,
        "22.10",
        (
            (
                "Credits leave nothing to ask for: {debits} less credits is {net}.",
                "Rien n'est à demander : {debits} moins les avoirs et règlements font {net}.",
            ),
            (
                "Credits leave nothing to ask for.",
                "Déduction faite des avoirs et règlements, rien n'est à demander.",
            ),
        ),
        _totals,
    ),
    Words(
        by_criteria.REMINDED_TODAY,
        "9.8",
        (
            (
                "It was reminded today, or a reminder of it is on its way.",
                "L'écriture a été relancée aujourd'hui, ou une relance est en cours.",
            ),
        ),
    ),
    Words(
        by_criteria.NO_EMAIL_ADDRESS,
        "9.8",
        (("The client has no e-mail address.", "Le client n'a pas d'adresse e-mail."),),
    ),
    Words(
        verdicts.NO_SCENARIO,
        "3.6",
        (
            (
                "The client's profile, {profile}, has no scenario.",
                "Le profil du client, {profile}, n'a pas de scénario.",
            ),
            ("The client's profile has no scenario.", "Le profil du client n'a pas de scénario."),
        ),
        _profile,
    ),
    Words(
        verdicts.VARIANT_OFF,
        "4.1",
        (
            (
                "The scenario of the profile {with_email} is switched off for clients with e-mail.",
                "Le scénario du profil {with_email} est désactivé pour les clients avec e-mail.",
            ),
            (
                "The scenario of the profile {without_email} is switched off for clients without e-mail.",
                "Le scénario du profil {without_email} est désactivé pour les clients sans e-mail.",
            ),
            (
                "The scenario is switched off for clients like this one.",
                "Le scénario est désactivé pour les clients de cette sorte.",
            ),
        ),
        _variant,
    ),
    Words(
        verdicts.EXHAUSTED,
        "4.10",
        (
            (
                "The last step of the scenario is done: {level} on {on}.",
                "La dernière étape du scénario est faite : {level} le {on}.",
            ),
            ("The last step of the scenario is done.", "La dernière étape du scénario est faite."),
        ),
        _last_step,
    ),
    Words(
        verdicts.NO_STEP,
        "4.10",
        (
            (
                "No step of the scenario is left for this entry.",
                "Aucune étape du scénario ne reste pour cette écriture.",
            ),
        ),
    ),
    Words(
        standing.SUPERSEDED,
        "22.12",
        (("Another action has taken its place.", "Une autre action l'a remplacée."),),
    ),
    Words(
        standing.SETTLED,
        "5.8",
        (("Everything it spoke of is settled.", "Tout ce qu'elle réclamait est soldé."),),
    ),
    Words(
        standing.MODE_SWITCHED,
        "22.15",
        (("Reminders are grouped in another way now.", "Le regroupement des relances a changé."),),
    ),
    Words(
        thanks.LETTERING_UNDONE,
        "12.1",
        (
            (
                "The payment is not lettered with these invoices any more.",
                "Le règlement n'est plus lettré avec ces factures.",
            ),
        ),
    ),
    Words(
        thanks.THANKS_LAPSED,
        "12.3",
        (("The payment is too old to be thanked for.", "Le règlement est trop ancien pour en remercier."),),
    ),
    Words(
        thanks.THANKS_OFF,
        "4.10",
        (("The scenario does not thank any more.", "Le scénario ne remercie plus."),),
    ),
    Words(
        "withdrawn_by_person",
        "8.17",
        (("A person took it back.", "Un utilisateur l'a retirée."),),
    ),
    Words(
        "email_failed",
        "22.16",
        (("The e-mail did not leave.", "L'e-mail n'est pas parti."),),
    ),
    Words(
        "entry_lettered",
        "5.8",
        (("It was settled before the message left.", "L'écriture a été soldée avant l'envoi."),),
    ),
    Words(
        "entry_changed",
        "22.12",
        (("The entry changed before the message left.", "L'écriture a changé avant l'envoi."),),
    ),
    Words(
        "entry_removed",
        "2.9",
        (("Accounting took the entry back.", "La comptabilité a retiré l'écriture."),),
    ),
    Words(
        "client_removed",
        "2.9",
        (("Accounting took the client back.", "La comptabilité a retiré le client."),),
    ),
    Words(
        "nothing_due",
        "22.10",
        (("Nothing was left to ask for.", "Il ne restait rien à demander."),),
    ),
    Words(
        "promised_since",
        "22.32",
        (("A promise came before the message left.", "Une promesse est arrivée avant l'envoi."),),
    ),
    Words(
        "disputed_since",
        "22.32",
        (("A dispute was opened before the message left.", "Un litige a été ouvert avant l'envoi."),),
    ),
    Words(
        "action_withdrawn",
        "22.12",
        (("The action was withdrawn before the message left.", "L'action a été retirée avant l'envoi."),),
    ),
)
