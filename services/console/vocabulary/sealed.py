"""What the legal archive holds, and how a record of it may be broken."""

from services.console.language import N_

SEALED = {
    "email_sent": N_("E-mail parti"),
    "email_failed": N_("E-mail non parti"),
    "email_in_doubt": N_("E-mail, remise incertaine"),
    "email_report": N_("Retour d’un e-mail"),
    "letter_prepared": N_("Courrier préparé"),
    "letter_posted": N_("Courrier posté"),
    "letter_numbered": N_("N° de recommandé"),
    "call_logged": N_("Appel"),
    "contact_logged": N_("Autre contact"),
    "person_erased": N_("Données personnelles effacées"),
    "content_expired": N_("Contenu effacé, durée échue"),
    "person_expired": N_("Données personnelles effacées, durée échue"),
}
BROKEN = {
    "missing": N_("il manque, ou la chaîne s’arrête avant lui"),
    "changed": N_("son empreinte ne correspond plus"),
    "unchained": N_("il ne suit pas le précédent"),
    "relabelled": N_("ses colonnes disent autre chose que lui"),
    "person-changed": N_("ce qu’il dit d’une personne a été changé"),
    "person-missing": N_("ce qu’il dit d’une personne a disparu sans effacement"),
    "content-changed": N_("ce qui est conservé n’est plus ce qui est parti"),
    "content-missing": N_("ce qui est parti n’est plus conservé, sans effacement"),
    "not-the-known-hash": N_("la chaîne a été refaite"),
}
