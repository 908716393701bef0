"""What happened to a client, in words: one sentence per fact of its history."""

from services.dunning.domain.words.telling import Words

ALL = (
    Words("entry_came", "1.1", (
        ("{piece} came from accounting: {amount}, due on {due_date}.",
         "{piece} reçue de la comptabilité : {amount}, échéance le {due_date}."),
    )),
    Words("entry_due_date_changed", "5.9", (
        ("Accounting moved the due date of {piece} from {before} to {due_date}.",
         "La comptabilité a déplacé l'échéance de {piece} du {before} au {due_date}."),
    )),
    Words("entry_amount_changed", "22.9", (
        ("Accounting changed the amount of {piece} from {before} to {amount}.",
         "La comptabilité a changé le montant de {piece} de {before} à {amount}."),
    )),
    Words("entry_changed_otherwise", "1.1", (
        ("Accounting changed {piece}.", "La comptabilité a modifié {piece}."),
    )),
    Words("entry_settled", "5.8", (
        ("{piece} was lettered, code {lettering}: it left the cycle.",
         "{piece} a été lettrée, code {lettering} : elle sort du cycle."),
    )),
    Words("entry_reopened", "22.8", (
        ("{piece} was un-lettered: it goes on at its former level.",
         "{piece} a été délettrée : elle reprend à son niveau."),
    )),
    Words("entry_taken_back", "2.9", (
        ("Accounting took {piece} back.", "La comptabilité a retiré {piece}."),
    )),
    Words("lettering_error_found", "2.8", (
        ("The lettering {lettering} does not balance: {difference} too much or too little.",
         "Le lettrage {lettering} n'est pas équilibré : écart de {difference}."),
    )),
    Words("lettering_error_cleared", "2.8", (
        ("The lettering {lettering} balances again.", "Le lettrage {lettering} est de nouveau équilibré."),
    )),
    Words("email_known", "4.2", (
        ("The client has an e-mail address.", "Le client a une adresse e-mail."),
    )),
    Words("email_unknown", "4.2", (
        ("The client has no e-mail address.", "Le client n'a pas d'adresse e-mail."),
    )),
    Words("profile_is", "3.4", (
        ("The client's profile is {profile}.", "Le profil du client est {profile}."),
        ("The client has the default profile.", "Le client a le profil par défaut."),
    )),
    Words("payment_mode_is", "14.3", (
        ("The client's payment mode is {payment_mode}.", "Le mode de règlement du client est {payment_mode}."),
        ("The client has no payment mode.", "Le client n'a pas de mode de règlement."),
    )),
    Words("profile_assigned", "3.5", (
        ("A person gave the client the profile {profile}.", "Un utilisateur a choisi le profil {profile}."),
        ("A person gave the choice of profile back to accounting.",
         "Un utilisateur a rendu le choix du profil à la comptabilité."),
    )),
    Words("client_was_stopped", "8.1", (
        ("Reminders to the client were stopped until {until}.", "STOP du client jusqu'au {until}."),
        ("Reminders to the client were stopped.", "STOP du client."),
    )),
    Words("client_was_resumed", "8.1", (
        ("Reminders to the client may go again.", "Le client peut de nouveau être relancé."),
    )),
    Words("entry_was_stopped", "8.2", (
        ("Reminders of {piece} were stopped until {until}.", "STOP de {piece} jusqu'au {until}."),
        ("Reminders of {piece} were stopped.", "STOP de {piece}."),
    )),
    Words("entry_was_resumed", "8.2", (
        ("{piece} may be reminded again.", "{piece} peut de nouveau être relancée."),
    )),
    Words("promise_made", "10.1", (
        ("{amount} of {piece} promised for {promised_on}.", "{amount} de {piece} promis pour le {promised_on}."),
    )),
    Words("promise_stands_again", "22.21", (
        ("The promise for {promised_on} on {piece} stands again.",
         "La promesse du {promised_on} sur {piece} est de nouveau ouverte."),
    )),
    Words("promise_cancelled", "10.2", (
        ("A promise on {piece} was cancelled.", "Une promesse sur {piece} a été annulée."),
    )),
    Words("promise_kept", "10.2", (
        ("A promise on {piece} was kept.", "Une promesse sur {piece} a été tenue."),
    )),
    Words("promise_broken", "10.2", (
        ("A promise on {piece} is late.", "Une promesse sur {piece} est en retard."),
    )),
    Words("dispute_was_opened", "11.1", (
        ("A dispute was opened on {piece}.", "Un litige a été ouvert sur {piece}."),
        ("A dispute was opened on the whole account.", "Un litige a été ouvert sur tout le compte."),
    )),
    Words("was_paid_online", "8.6", (
        ("{pieces} were paid online: {amount}.", "{pieces} payées en ligne : {amount}."),
        ("The client paid online: {amount}.", "Le client a payé en ligne : {amount}."),
    )),
    Words("payment_was_refunded", "8.6", (
        ("Of a payment online {amount} were given back: {pieces} owed again.",
         "Paiement en ligne remboursé de {amount} : {pieces} dues de nouveau."),
        ("Of a payment online {amount} were given back.", "Paiement en ligne remboursé de {amount}."),
    )),
    Words("payment_was_charged_back", "8.6", (
        ("The client's bank took {amount} of a payment online back: {pieces} owed again.",
         "La banque du client a repris {amount} d'un paiement en ligne : {pieces} dues de nouveau."),
        ("The client's bank took {amount} of a payment online back.",
         "La banque du client a repris {amount} d'un paiement en ligne."),
    )),
    Words("dispute_was_closed", "11.1", (
        ("The dispute on {piece} was closed.", "Le litige sur {piece} a été clos."),
        ("The dispute on the whole account was closed.", "Le litige sur tout le compte a été clos."),
    )),
    Words("repositioned", "5.7", (
        ("The money of {piece} is expected on {expected_on}; reminders do not move.",
         "L'encaissement de {piece} est attendu le {expected_on} ; les relances ne bougent pas."),
        ("The money of {piece} is expected on its due date again.",
         "L'encaissement de {piece} est de nouveau attendu à l'échéance."),
    )),
    Words("action_was_proposed", "4.12", (
        ("{step} was proposed by {medium}: {net} for {pieces}, due since {since}.",
         "{step} proposée par {medium} : {net} pour {pieces}, à faire depuis le {since}."),
    )),
    Words("action_was_confirmed", "4.15", (
        ("{step} was confirmed, by {medium}: {net} for {pieces}.",
         "{step} confirmée, par {medium} : {net} pour {pieces}."),
    )),
    Words("action_was_decided", "4.15", (
        ("{step} was decided automatically, by {medium}: {net} for {pieces}, due since {since}.",
         "{step} décidée automatiquement, par {medium} : {net} pour {pieces}, due depuis le {since}."),
    )),
    Words("action_was_withdrawn", "8.17", (
        ("{step} was withdrawn: {why}", "{step} retirée : {why}"),
        ("An action was withdrawn: {why}", "Une action a été retirée : {why}"),
    )),
    Words("action_was_done", "5.3", (
        ("{step} was done by {medium}; {pieces}: level {level}.",
         "{step} faite par {medium} ; {pieces} : niveau {level}."),
        ("{step} was done by {medium}: {pieces}.", "{step} faite par {medium} : {pieces}."),
    )),
    Words("email_was_opened", "16.5", (
        ("The e-mail of {step} was opened: {pieces}.", "L'e-mail de {step} a été ouvert : {pieces}."),
        ("An e-mail was opened.", "Un e-mail a été ouvert."),
    )),
    Words("email_was_perhaps_opened", "16.5", (
        ("The e-mail of {step} was opened, it seems by a machine: {pieces}.",
         "L'e-mail de {step} a été ouvert, sans doute par une machine : {pieces}."),
        ("An e-mail was opened, it seems by a machine.", "Un e-mail a été ouvert, sans doute par une machine."),
    )),
    Words("email_came_back", "22.16", (
        ("The e-mail of {step} came back ({status}), the level stays: {pieces}.",
         "L'e-mail de {step} est revenu ({status}), le niveau reste : {pieces}."),
        ("An e-mail came back ({status}).", "Un e-mail est revenu ({status})."),
    )),
    Words("email_was_unwanted", "22.31", (
        ("The e-mail of {step} was reported as unwanted, the level stays: {pieces}.",
         "L'e-mail de {step} a été signalé comme indésirable, le niveau reste : {pieces}."),
        ("An e-mail was reported as unwanted.", "Un e-mail a été signalé comme indésirable."),
    )),
    Words("email_was_answered", "22.33", (
        ("The client answered the e-mail of {step}: {pieces}.",
         "Le client a répondu à l'e-mail de {step} : {pieces}."),
        ("The client answered an e-mail.", "Le client a répondu à un e-mail."),
    )),
    Words("email_was_delayed", "22.16", (
        ("The e-mail of {step} has not arrived yet ({status}): {pieces}.",
         "L'e-mail de {step} n'est pas encore arrivé ({status}) : {pieces}."),
        ("An e-mail has not arrived yet ({status}).", "Un e-mail n'est pas encore arrivé ({status})."),
    )),
    Words("email_did_not_leave", "22.16", (
        ("The e-mail of {step} was refused ({status}) and the action is open again: {pieces}.",
         "L'e-mail de {step} a été refusé ({status}) et l'action est de nouveau à faire : {pieces}."),
        ("The e-mail of {step} did not leave and the action is open again: {pieces}.",
         "L'e-mail de {step} n'est pas parti et l'action est de nouveau à faire : {pieces}."),
        ("An e-mail did not leave.", "Un e-mail n'est pas parti."),
    )),
    Words("email_in_doubt", "22.16", (
        ("Nobody knows whether the e-mail of {step} left; a person decides: {pieces}.",
         "Nul ne sait si l'e-mail de {step} est parti ; un utilisateur décide : {pieces}."),
        ("Nobody knows whether an e-mail left; a person decides.",
         "Nul ne sait si un e-mail est parti ; un utilisateur décide."),
    )),
    Words("contact_was_logged", "22.7", (
        ("A person noted a contact of their own accord: {medium}.",
         "Un utilisateur a noté un contact de sa propre initiative : {medium}."),
    )),
    Words("level_was_set", "5.6", (
        ("{pieces}: level {level}.", "{pieces} : niveau {level}."),
        ("{pieces}: no level any more.", "{pieces} : plus de niveau."),
    )),
    Words("credit_went_on", "22.14", (
        ("{pieces}, alone without a debit, went on to {level} without a message.",
         "{pieces}, sans débit à cette étape, passe à {level} sans message."),
    )),
    Words("was_excluded", "8.17", (
        ("{piece} was due for {step} and not reminded: {why}",
         "{piece}, à relancer ({step}), ne l'a pas été : {why}"),
    )),
    Words("excluded_no_more", "8.17", (
        ("Nothing held {piece} back any more.", "Plus rien ne retenait {piece}."),
    )),
    Words("automatic_chosen", "22.13", (
        ("Reminders of {pieces} may leave by themselves.", "Les relances de {pieces} peuvent partir seules."),
    )),
    Words("automatic_refused", "22.13", (
        ("Reminders of {pieces} may not leave by themselves.", "Les relances de {pieces} ne partent pas seules."),
    )),
    Words("automatic_as_policy", "22.13", (
        ("Reminders of {pieces} leave as the policy says.", "Les relances de {pieces} suivent la politique."),
    )),
    Words("client_never_reminded", "22.27", (
        ("The client is never reminded.", "Le client n'est jamais relancé."),
    )),
    Words("own_policy", "22.27", (
        ("The client follows the scenario of the profile {profile}.",
         "Le client suit le scénario du profil {profile}."),
        ("The client has a policy of its own.", "Le client a une politique à lui."),
    )),
    Words("next_step_chosen", "5.6", (
        ("A person chose {step} as the next step of {pieces}.",
         "Un utilisateur a choisi {step} comme prochaine étape de {pieces}."),
    )),
    Words("code_merged", "22.24", (
        ("This code became {into}: what was said and done of it goes on there.",
         "Ce code est devenu {into} : son suivi continue là-bas."),
        ("The code {merged} became this one.", "Le code {merged} est devenu celui-ci."),
    )),
    Words("was_exhausted", "4.10", (
        ("No step follows for {piece}.", "Aucune étape ne suit pour {piece}."),
    )),
)  # fmt: skip
